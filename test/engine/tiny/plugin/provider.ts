// The provider as a program of its own. Started by pulumi-resource-davit.
import { serveProvider } from '../../../../pulumi-provider/serve-provider.ts';
import { TINY_PROVIDER } from '../tiny-provider.ts';

serveProvider(TINY_PROVIDER);
