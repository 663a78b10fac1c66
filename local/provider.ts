// The Pulumi provider `davit` as a program of its own, for those who run `pulumi` themselves. Started by pulumi-resource-davit.
import '../system/node-20.ts';
import { serveProvider } from '../pulumi-provider/serve-provider.ts';
import { makeLocalProvider } from './local-provider.ts';

serveProvider(makeLocalProvider(process.env));
