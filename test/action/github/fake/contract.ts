// GitHub's own description of its REST API (contract.json): operations with their requests and responses.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { OperationId } from './operations.ts';

export type Json = Readonly<Record<string, unknown>>;

interface ContractOperation {
  readonly id: OperationId;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly query: readonly string[];
  readonly request?: Json;
  readonly response?: Json;
  readonly example?: unknown;
}

export interface Operation {
  readonly id: OperationId;
  readonly method: string;
  /** The status of a successful response. */
  readonly status: number;
  readonly query: readonly string[];
  /** The path's parameters, or undefined for the path of another operation. */
  readonly match: (path: string) => Readonly<Record<string, string>> | undefined;
  /** The errors in a request's or a response's body. Empty if it matches GitHub's schema. */
  readonly wrongRequest: (body: unknown) => readonly string[];
  readonly wrongResponse: (body: unknown) => readonly string[];
  /** A fresh copy of GitHub's own example. */
  readonly example: () => unknown;
}

let contract: readonly Operation[] | undefined;

/** Reads the contract once for all fakes of a process, because compiling a schema takes longer than checking with it. */
export function readContract(): readonly Operation[] {
  contract ??= parseContract();
  return contract;
}

function parseContract(): readonly Operation[] {
  const text = readFileSync(join(import.meta.dirname, 'contract.json'), 'utf8');
  const { operations, $defs } = JSON.parse(text) as { operations: readonly ContractOperation[]; $defs: Json };
  return operations.map(({ request, response, path, example, ...operation }) => ({
    ...operation,
    match: makeMatcher(path),
    wrongRequest: makeChecker(request, $defs),
    wrongResponse: makeChecker(response, $defs),
    example: () => structuredClone(example),
  }));
}

function makeChecker(schema: Json | undefined, $defs: Json): (value: unknown) => readonly string[] {
  let compiled: z.ZodType | undefined;
  return (value) => {
    if (!schema) return [];
    compiled ??= z.fromJSONSchema({ ...schema, $defs } as Parameters<typeof z.fromJSONSchema>[0]);
    const checked = compiled.safeParse(value);
    return checked.success ? [] : checked.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
  };
}

function makeMatcher(template: string): Operation['match'] {
  const pattern = new RegExp(`^${template.replace(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>[^/]+)`)}$`);
  return (path) => {
    const groups = pattern.exec(path)?.groups;
    return groups && Object.fromEntries(Object.entries(groups).map(([k, v]) => [k, decodeURIComponent(v)]));
  };
}
