// Writes the contract of the fake GitHub: the part of GitHub's published API descriptions that the fake serves. Their
// packages unpack to 400 MB, so they are not dependencies. When you add an operation to the fake, run `npm install
// --no-save --prefix FOLDER @octokit/openapi@23.0.2 @octokit/graphql-schema@15.26.1`, then this file with FOLDER.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { codePath } from '../system/code.ts';
import { GRAPHQL_FIELDS, OPERATIONS } from '../test/action/github/fake/operations.ts';
import { cutGraphql } from './cut-graphql.ts';
import { cutOpenApi, type OpenApi } from './cut-open-api.ts';

const FAKE = codePath('test', 'action', 'github', 'fake');
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new TypeError('Cannot cut the contract: expected the folder of the packages');

const packages = join(resolve(folder), 'node_modules', '@octokit');
const openApi = await readFile(join(packages, 'openapi', 'generated', 'api.github.com.json'), 'utf8');
const contract = cutOpenApi(JSON.parse(openApi) as OpenApi, Object.keys(OPERATIONS));
await writeFileAtomically(join(FAKE, 'contract.json'), `${JSON.stringify(contract)}\n`);
const schema = await readFile(join(packages, 'graphql-schema', 'schema.graphql'), 'utf8');
await writeFileAtomically(join(FAKE, 'contract.graphql'), `${cutGraphql(schema, GRAPHQL_FIELDS)}\n`);
