/*
 * What a program gets from `import … from 'davit'`. tools/make-package.ts joins the declarations of these files, so none of
 * them may name a type of another file.
 */

export * from './predict/predict.ts';
export * from './requirements/update-model-requirements.ts';
