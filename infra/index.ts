// The Pulumi program: deploys the one endpoint that the stack `ENDPOINT.ENVIRONMENT` names.
import * as pulumi from '@pulumi/pulumi';
import { Endpoint } from './endpoint.ts';
import { readDeclaration } from './read-declaration.ts';

const place = { root: pulumi.runtime.getRootDirectory(), endpoints: process.env['DAVIT_ENDPOINTS'] ?? 'endpoints' };
const declaration = await readDeclaration(place, pulumi.getStack());
const endpoint = new Endpoint(declaration.endpoint.name, declaration);

export const { url, revisions } = endpoint;
