import type { z } from 'zod';
import type { Field } from './list-fields.ts';
import type { Path } from './parsed-yaml.ts';
import type { IssueParams } from './render-issue.ts';
import { findIntendedField } from './suggest-field.ts';

type Issue = z.core.$ZodIssue;

/** Drops the issues of values that have a diagnostic already, and of everything below them. */
export function dropReported(issues: readonly Issue[], reported: readonly Path[]): readonly Issue[] {
  if (reported.length === 0) return issues;
  const keys = reported.map((path) => JSON.stringify(path));
  const isReported = (path: readonly PropertyKey[]) =>
    path.some((_, i) => keys.includes(JSON.stringify(path.slice(0, i + 1))));
  return issues.flatMap((issue): readonly Issue[] => {
    if (issue.code !== 'unrecognized_keys') return isReported(issue.path) ? [] : [issue];
    const rest = issue.keys.filter((key) => !isReported([...issue.path, key]));
    return rest.length === 0 ? [] : [{ ...issue, keys: rest }];
  });
}

/** Drops the limit that every integer has where the field has its own. */
export function dropGeneralLimits(issues: readonly Issue[]): readonly Issue[] {
  const isGeneral = ({ code, message }: Issue) => code === 'too_big' && !message.startsWith('expected');
  const has = (path: Issue['path']) =>
    issues.some((other) => !isGeneral(other) && JSON.stringify(other.path) === JSON.stringify(path));
  return issues.filter((issue) => !isGeneral(issue) || !has(issue.path));
}

/**
 * Drops the missing fields that another issue explains: the field is there under a wrong name, or an unsupported field
 * stands instead of it.
 */
export function dropReplacedFields(issues: readonly Issue[], fields: readonly Field[]): readonly Issue[] {
  const explained = new Set(
    issues.flatMap((issue) => listReplacedFields(issue, fields)).map((path) => JSON.stringify(path)),
  );
  if (explained.size === 0) return issues;
  return issues.filter((issue) => issue.input !== undefined || !explained.has(JSON.stringify(issue.path)));
}

function listReplacedFields(issue: Issue, fields: readonly Field[]): readonly (readonly PropertyKey[])[] {
  if (issue.code === 'unrecognized_keys') {
    const path = issue.path.filter((p) => typeof p !== 'symbol');
    return issue.keys.flatMap((key) => {
      const intended = findIntendedField(key, path, fields);
      return intended === undefined ? [] : [[...path, intended]];
    });
  }
  if (issue.code !== 'custom') return [];
  const { insteadOf = [] } = (issue.params ?? {}) as IssueParams;
  return insteadOf.map((name) => [...issue.path.slice(0, -1), name]);
}
