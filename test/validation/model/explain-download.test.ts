import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explainOrThrow } from '../../../validation/model/explain-download.ts';

const FOLDER = join(import.meta.dirname, '../../../validation/model');

/** What the download program says about errors. They stand for those of MLflow, requests, boto3 and the system. */
function describeErrors(errors: readonly string[]): readonly unknown[] {
  const script = `
import json, sys
sys.path.insert(0, ${JSON.stringify(FOLDER)})
from download_model import describe

class MlflowException(Exception):
    def __init__(self, text="", error_code="INTERNAL_ERROR"):
        super().__init__(text)
        self.error_code = error_code

class RestException(MlflowException): pass
class ChunkedEncodingError(IOError): pass

class HTTPError(IOError):
    def __init__(self, status):
        self.response = type("Response", (), {"status_code": status})()

class ClientError(Exception):
    def __init__(self, status):
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}

def chain(outer, inner):
    outer.__context__ = inner
    return outer

print(json.dumps([describe(e) for e in [${errors.join(', ')}]]))`;
  return JSON.parse(execFileSync('python3', ['-c', script], { encoding: 'utf8' })) as readonly unknown[];
}

function explain(stderr: string, { version = '4', code = 1, signal = undefined as NodeJS.Signals | undefined } = {}) {
  const run = { code, signal, stdout: '', stderr, timedOut: false };
  const failed = { run, wanted: { name: 'iris', version }, connection: undefined, limitSeconds: 60 };
  return explainOrThrow(failed, { label: 'iris', uri: 'models:/iris/4' });
}

test('an error of a server or of this machine is an outage, and one of a request is not', () => {
  const wanted: Readonly<Record<string, unknown>> = {
    'ClientError(500)': { kind: 'unavailable' },
    'ClientError(503)': { kind: 'unavailable' },
    'HTTPError(502)': { kind: 'unavailable' },
    'HTTPError(429)': { kind: 'unavailable' },
    'RestException("x", "INTERNAL_ERROR")': { kind: 'unavailable' },
    'RestException("x", "TEMPORARILY_UNAVAILABLE")': { kind: 'unavailable' },
    'RestException("x", "REQUEST_LIMIT_EXCEEDED")': { kind: 'unavailable' },
    'MlflowException("API request to endpoint /x failed with error code 502 != 200")': { kind: 'unavailable' },
    "MlflowException(\"failures: {'a': HTTPError('503 Server Error: x')}\")": { kind: 'unavailable' },
    'ChunkedEncodingError("broken")': { kind: 'unreachable' },
    '__import__("socket").gaierror(-2, "Name or service not known")': { kind: 'unreachable' },
    'chain(MlflowException("x"), OSError(28, "No space left on device"))': { kind: 'system', error: 'ENOSPC' },
    'MlflowException("failures: No space left on device")': { kind: 'system', error: 'ENOSPC' },
    'PermissionError(13, "x")': { kind: 'system', error: 'EACCES' },
    'FileNotFoundError(2, "x")': { kind: 'missing' },
    'MlflowException("No such artifact: x")': { kind: 'missing' },
    'MlflowException("x")': { kind: 'failed', error: 'MlflowException' },
    'HTTPError(418)': { kind: 'failed', error: 'HTTPError' },
    'ClientError(403)': { kind: 'denied' },
    'ClientError(404)': { kind: 'missing' },
  };
  const described = describeErrors(Object.keys(wanted));
  expect(Object.keys(wanted).map((error, i) => [error, described[i]])).toEqual(Object.entries(wanted));
});

test.each([
  ['{"kind": "unavailable"}', {}, 'the server, or the store of its files, answers with an error of its own'],
  ['{"kind": "system", "error": "ENOSPC"}', {}, 'this machine reports ENOSPC'],
  ['', { code: -1, signal: 'SIGKILL' }, 'the download program ended without a reason (ended by SIGKILL)'],
  ['Traceback', { code: 1 }, 'the download program ended without a reason (exit code 1)'],
] as const)('explainOrThrow() throws what is no fault of the user: %s', (stderr, end, why) => {
  expect(() => explain(stderr, end)).toThrow(`Cannot fetch iris from "models:/iris/4": ${why}. Try again later`);
});

test('a name that a diagnostic cannot show is left out, and the rest still explains the failure', () => {
  const aliases = explain(JSON.stringify({ kind: 'no-alias', aliases: { größte: '2', champion: '3', old: 'x' } }), {
    version: '@chmpion',
  });
  expect(aliases.hint).toBe('Did you mean "champion"? Aliases of the model: @champion (version 3)');
  const near = explain(JSON.stringify({ kind: 'no-model', near: ['größte', 'irises'], hidden: false }));
  expect(near.hint).toBe('Similar names there: irises');
});

test.each([
  [[], 'iris has no version 4; it has no version', 'If version 4 will be registered, run this again then'],
  [
    ['1', '3'],
    'iris has no version 4; its versions are 1, 3',
    'If version 4 will be registered, run this again then; otherwise write one of them, such as "3"',
  ],
])('a version above all others is not promised: %j', (versions, why, hint) => {
  const failure = explain(JSON.stringify({ kind: 'no-version', count: versions.length, versions }));
  expect(failure).toEqual({ code: 'model-pending', about: 'version', why, hint });
});

test('a directory on a web server is refused with the address that MLflow can read', () => {
  expect(explain('{"kind": "no-listing"}')).toMatchObject({
    code: 'model-not-found',
    why: expect.stringContaining('it is not an address of an MLflow server') as string,
    hint: expect.stringContaining('/api/2.0/mlflow-artifacts/artifacts/PATH') as string,
  });
});
