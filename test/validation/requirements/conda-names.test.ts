import { expect, test } from 'vitest';
import { findPipCounterpart } from '../../../validation/requirements/conda-names.ts';

test.each([
  ['pytorch=2.1.0', 'torch==2.1.0.*'],
  ['pytorch::pytorch==2.1.0', 'torch==2.1.0'],
  ['pytorch=2.1.0=py3.11_cuda11.8_cudnn8.7.0_0', 'torch==2.1.0'],
  ['pytorch 2.1.0 py3.11_0', 'torch==2.1.0'],
  ['opencv=4.8', 'opencv-python-headless==4.8.*'],
  ['msgpack-python=1.0.3', 'msgpack==1.0.3.*'],
  ['scikit-learn=1.5.2', 'scikit-learn==1.5.2.*'],
  ['numpy=1.26.*', 'numpy==1.26.*'],
  ['numpy>=1.20,<2', 'numpy>=1.20,<2'],
  ['numpy >=1.20', 'numpy>=1.20'],
  ['librosa', 'librosa'],
  ['faiss=1.7.4', 'faiss-cpu==1.7.4.*'],
  ['tensorflow-gpu=2.4.1', 'tensorflow==2.4.1.*'],
  ['py-xgboost-cpu', 'xgboost'],
  ['pandas[version=">=2"]', 'pandas>=2'],
  ['numpy==1.21,<2', 'numpy==1.21,<2'],
  ['numpy>=1.21.0,<1.22.0a0', 'numpy>=1.21.0,<1.22.0a0'],
  ['numpy =1.21 , !=1.21.3', 'numpy==1.21.*,!=1.21.3'],
  ['numpy=1.21|=1.22', 'numpy'],
  ['pytorch=*=*cuda*', 'torch'],
  ['ray-default=2.9.0=py311h_0', 'ray[default]==2.9.0'],
  ['ruamel.yaml', 'ruamel-yaml'],
])('findPipCounterpart() makes of %s the requirement %s', (spec, pip) => {
  expect(findPipCounterpart(spec)).toMatchObject({ pip });
});

test.each([
  ['pytorch', true],
  ['scikit-learn=1.5.2', true],
  ['librosa', false],
  ['gdal=3.8', false],
  ['libpysal', false],
  ['jsonpath-ng', true],
  ['networkx=3.1=py311h06a4308_0', true],
  ['importlib_metadata', true],
  ['psycopg2', true],
  ['redis', false],
  ['kubernetes', false],
  ['cuda-bindings', true],
])('findPipCounterpart() says whether pip certainly calls %s so: %s', (spec, certain) => {
  expect(findPipCounterpart(spec)).toHaveProperty('certain', certain);
});

test.each([
  ['cudatoolkit=11.8', /^the driver/],
  ['pytorch-cuda=11.8', /^the driver/],
  ['cuda-nvcc', /^the driver/],
  ['libgomp', /^the wheels/],
  ['_openmp_mutex=5.1', /^the wheels/],
  ['libgcc-ng', /^the wheels/],
  ['hdf5', /^the wheels/],
  ['xorg-libx11', /^the wheels/],
  ['aws-c-common', /^the wheels/],
  ['gxx_linux-64=11', /^only builds/],
  ['cmake', /^only builds/],
  ['libarrow-dataset', /^the wheels that/],
  ['libstdcxx-ng', /^the wheels that/],
  ['zlib-ng', /^the wheels that/],
  ['nomkl', /^only conda/],
  ['vs2015_runtime=14.27.29016=h5e58377_2', /^only Windows or macOS/],
  ['m2w64-gcc-libs=5.3.0=7', /^only Windows or macOS/],
  ['appnope', /^only Windows or macOS/],
])('findPipCounterpart() knows that %s is not needed', (spec, why) => {
  expect(findPipCounterpart(spec)).toEqual({ none: expect.stringMatching(why) as string, isNeeded: false });
});

test.each([
  ['mkl_fft=1.3.8', /^the wheels of NumPy/, 'mkl-fft==1.3.8.*'],
  ['mkl-service', /^the wheels of NumPy/, 'mkl-service'],
  ['libfoo=2.0', /^it has the name of a library/, 'libfoo==2.0.*'],
])('findPipCounterpart() leaves out %s, and knows the requirement if it is imported', (spec, why, ifImported) => {
  const none = expect.stringMatching(why) as string;
  expect(findPipCounterpart(spec)).toEqual({ none, isNeeded: false, ifImported });
});

test.each([
  ['openjdk=11', 'default-jre-headless'],
  ['graphviz', 'graphviz'],
  ['tesseract', 'tesseract-ocr'],
  ['r-base', undefined],
  ['r-ggplot2', undefined],
])('findPipCounterpart() knows that pip cannot install %s, and which package of Debian can', (spec, debian) => {
  expect(findPipCounterpart(spec)).toMatchObject({ isNeeded: true, ...(debian !== undefined && { debian }) });
});

test.each([
  ...['librosa', 'libcst', 'liblinear-official', 'libpysal', 'libmambapy', 'jsonpath-ng', 'prompt-toolkit-ng'],
  ...['cuda-python', 'cuda-bindings', 'cuda-core', 'rpy2', 'gdal'],
])('findPipCounterpart() takes %s for a Python package', (spec) => {
  expect(findPipCounterpart(spec)).toMatchObject({ pip: spec });
});
