import { malformed, type Refusal, renderRefusal, tooLarge, unknownPath } from '../../serving-api/refusal.ts';
import { CHECK_STATUSES } from './check-protocol.ts';
import {
  checkUnavailable,
  edgeFull,
  headersTooLarge,
  protocolNotOffered,
  upstreamReset,
  upstreamUnreachable,
  upstreamTimeout,
} from '../edge-refusals.ts';

/**
 * Makes the bodies of Envoy's own answers, as Databricks' JSON. A refusal of the authorisation service is passed on
 * unchanged.
 */
export function makeLocalReplies(): object {
  const refused = flags('UAEX');
  return {
    mappers: [
      { filter: all(refused, status('EQ', 503)), ...replyOf(checkUnavailable) },
      ...Object.entries(CHECK_STATUSES).map(([real, sent]) => ({
        filter: all(refused, status('EQ', sent)),
        status_code: Number(real),
        ...AS_IT_IS,
      })),
      // The headers exceed the limit once the service has added its own.
      { filter: all(refused, status('EQ', 500)), ...replyOf(headersTooLarge) },
      { filter: refused, ...AS_IT_IS },
      { filter: flags('UT', 'SI', 'DT'), ...replyOf(upstreamTimeout) },
      { filter: flags('UC', 'UR', 'UPE'), ...replyOf(upstreamReset) },
      { filter: flags('UO'), ...replyOf(edgeFull) },
      { filter: flags('UF', 'UH', 'LR', 'URX', 'NC'), ...replyOf(upstreamUnreachable) },
      { filter: status('EQ', 413), ...replyOf(tooLarge) },
      { filter: status('EQ', 431), ...replyOf(headersTooLarge) },
      { filter: status('EQ', 408), ...replyOf(malformed('ERR_HTTP_REQUEST_TIMEOUT')) },
      // Envoy refuses Upgrade and CONNECT with an empty 403.
      { filter: status('EQ', 403), ...replyOf(protocolNotOffered) },
      { filter: status('EQ', 404), ...replyOf(unknownPath) },
      { filter: status('EQ', 400), ...replyOf(malformed(undefined)) },
      // Envoy's overload manager refuses before any flag is set.
      { filter: status('EQ', 503), ...replyOf(edgeFull) },
      { filter: status('GE', 500), body_format_override: inOwnWords('INTERNAL_ERROR') },
    ],
    body_format: inOwnWords('BAD_REQUEST'),
  };
}

/** Rare errors keep Envoy's own text. */
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

/** A constant text in Envoy's format, in which % is escaped as %%. */
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

function all(...filters: readonly object[]): object {
  return { and_filter: { filters } };
}

function flags(...names: readonly string[]): object {
  return { response_flag_filter: { flags: names } };
}

function status(op: 'EQ' | 'GE', value: number): object {
  return { status_code_filter: { comparison: { op, value: { default_value: value, runtime_key: `davit.${value}` } } } };
}
