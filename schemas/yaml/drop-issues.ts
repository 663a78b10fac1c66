import type { z } from 'zod';
import type { Field } from './list-fields.ts';
import type { Path } from './parsed-yaml.ts';
import { isAtOrBelow, makePathKey } from './path-keys.ts';
import type { IssueParams } from './render-issue.ts';
import { findIntendedField } from './suggest-field.ts';

type Issue = z.core.$ZodIssue;

/** Drops the issues of values that have a diagnostic already, and of everything below them. */
export function dropReported(issues: readonly Issue[], reported: readonly Path[]): readonly Issue[] {
  if (reported.length === 0) return issues;
  const keys = new Set(reported.filter((path) => path.length > 0).map(makePathKey));
  const isReported = (path: readonly PropertyKey[]) => isAtOrBelow(path, keys);
  return issues.flatMap((issue): readonly Issue[] => {
    if (issue.code !== 'unrecognized_keys') return isReported(issue.path) ? [] : [issue];
    const rest = issue.keys.filter((key) => !isReported([...issue.path, key]));
    return rest.length === 0 ? [] : [{ ...issue, keys: rest }];
  });
}

/** Drops the limits of a value of the wrong type: a text has a length too, but it is no list. */
export function dropLimitsOfWrongTypes(issues: readonly Issue[]): readonly Issue[] {
  const wrong = new Set(issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => makePathKey(path)));
  if (wrong.size === 0) return issues;
  return issues.filter(({ code, path }) => code === 'invalid_type' || !wrong.has(makePathKey(path)));
}

/** Drops the limit that every integer has where the field has its own. */
export function dropGeneralLimits(issues: readonly Issue[]): readonly Issue[] {
  const isGeneral = ({ code, message }: Issue) => code === 'too_big' && !message.startsWith('expected');
  const others = new Set(issues.filter((issue) => !isGeneral(issue)).map(({ path }) => makePathKey(path)));
  return issues.filter((issue) => !isGeneral(issue) || !others.has(makePathKey(issue.path)));
}

/**
 * Drops the missing fields that another issue explains: the field is there under a wrong name, or an unsupported field
 * stands instead of it.
 */
export function dropReplacedFields(issues: readonly Issue[], fields: readonly Field[]): readonly Issue[] {
  const explained = new Set(
    issues.flatMap((issue) => listReplacedFields(issue, fields)).map((path) => makePathKey(path)),
  );
  if (explained.size === 0) return issues;
  return issues.filter((issue) => issue.input !== undefined || !explained.has(makePathKey(issue.path)));
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
