import { expect, test } from 'vitest';
import { findPipCounterpart } from '../../validation/requirements/conda-names.ts';

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
  ['pandas[version=">=2"]', 'pandas'],
])('findPipCounterpart() makes of %s the requirement %s', (spec, pip) => {
  expect(findPipCounterpart(spec)).toMatchObject({ pip });
});

test.each([
  ['pytorch', true],
  ['scikit-learn=1.5.2', true],
  ['librosa', false],
  ['gdal=3.8', false],
])('findPipCounterpart() says whether pip certainly calls %s so: %s', (spec, certain) => {
  expect(findPipCounterpart(spec)).toHaveProperty('certain', certain);
});

test.each([
  'cudatoolkit=11.8',
  'openjdk=11',
  'libgomp',
  '_openmp_mutex=5.1',
  'pytorch-cuda=11.8',
  'graphviz',
  'libgcc-ng',
])('findPipCounterpart() knows that pip installs nothing for %s', (spec) => {
  expect(findPipCounterpart(spec)).toHaveProperty('none');
});
