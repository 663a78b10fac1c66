import { malformed, type Refusal, renderRefusal, tooLarge, unknownPath } from '../gateway/refusal.ts';
import { checkUnavailable, wayBroken, wayLost, wayTooLong } from './edge-refusals.ts';

/**
 * Makes the bodies of Envoy's own answers: Databricks' JSON for each. What the authorisation service has refused is
 * handed on as it is.
 */
export function makeLocalReplies(): object {
  const refused = flags('UAEX');
  return {
    mappers: [
      { filter: { and_filter: { filters: [refused, status('EQ', 503)] } }, ...replyOf(checkUnavailable) },
      { filter: refused, ...AS_IT_IS },
      { filter: flags('UT', 'SI', 'DT'), ...replyOf(wayTooLong) },
      { filter: flags('UC', 'UR', 'UPE'), ...replyOf(wayBroken) },
      { filter: flags('UF', 'UH', 'UO', 'LR', 'URX', 'NC', 'OM'), ...replyOf(wayLost) },
      { filter: status('EQ', 413), ...replyOf(tooLarge) },
      { filter: status('EQ', 431), ...replyOf(malformed('HPE_HEADER_OVERFLOW')) },
      { filter: status('EQ', 408), ...replyOf(malformed('ERR_HTTP_REQUEST_TIMEOUT')) },
      { filter: status('EQ', 404), ...replyOf(unknownPath) },
      { filter: status('EQ', 400), ...replyOf(malformed(undefined)) },
      { filter: status('GE', 500), body_format_override: inOwnWords('INTERNAL_ERROR') },
    ],
    body_format: inOwnWords('BAD_REQUEST'),
  };
}

/** What is rare enough to be said in Envoy's words. */
function inOwnWords(code: string): object {
  return {
    json_format: { error_code: code, message: 'Cannot answer the request: %LOCAL_REPLY_BODY%' },
    content_type: 'application/json',
  };
}

const AS_IT_IS = {
  body_format_override: {
    text_format_source: { inline_string: '%LOCAL_REPLY_BODY%' },
    content_type: 'application/json',
  },
} as const;

/** A constant text in Envoy's format, where % is written twice. */
function replyOf(refusal: Refusal): object {
  return {
    status_code: refusal.status,
    body_format_override: {
      text_format_source: { inline_string: renderRefusal(refusal).replaceAll('%', '%%') },
      content_type: 'application/json',
    },
    headers_to_add: headersOf(refusal),
  };
}

function headersOf({ headers = {} }: Refusal): readonly object[] {
  return Object.entries(headers).map(([key, value]) => ({
    header: { key, value },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  }));
}

function flags(...names: readonly string[]): object {
  return { response_flag_filter: { flags: names } };
}

function status(op: 'EQ' | 'GE', value: number): object {
  return { status_code_filter: { comparison: { op, value: { default_value: value, runtime_key: `davit.${value}` } } } };
}
