// For `node --import`: the program of plain `pulumi` loads Pulumi's SDK without its unused packages.
import { skipUnusedPackages } from './skip-unused-packages.ts';

skipUnusedPackages();
