// The stub as a program of its own. Started by pulumi-resource-davit.
import { serveProvider } from '../../../pulumi-provider/serve-provider.ts';
import { makeStubProvider } from './stub-provider.ts';

serveProvider(makeStubProvider());
