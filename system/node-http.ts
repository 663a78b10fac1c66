import type * as Http from 'node:http';

/**
 * Node's module `http`, for all but the programs of a cluster. An import of `node:http` itself also evaluates the exports that
 * load another HTTP client when they are first used, which takes 0.09 s of processor time in every process.
 */
export const { Agent, createServer, get, request, STATUS_CODES } = process.getBuiltinModule('node:http');
export type Agent = Http.Agent;
