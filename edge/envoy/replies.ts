import { malformedRequest, type Refusal, renderRefusal, bodyTooLarge, unknownPath } from '../../serving-api/refusal.ts';
import { CHECK_STATUSES } from './check-protocol.ts';
import {
  authorizationUnavailable,
  edgeOverloaded,
  headersTooLarge,
  protocolNotOffered,
  sourceLimited,
  upstreamReset,
  upstreamUnreachable,
  upstreamTimeout,
} from '../edge-refusals.ts';

/**
 * Makes the bodies of Envoy's own answers, as Databricks' JSON. A refusal of the authorisation service is passed on
 * unchanged.
 */
export function makeLocalReplies(): object {
  const refused = matchFlags('UAEX');
  return {
    mappers: [
      { filter: all(refused, status('EQ', 503)), ...makeReply(authorizationUnavailable) },
      ...Object.entries(CHECK_STATUSES).map(([real, sent]) => ({
        filter: all(refused, status('EQ', sent)),
        status_code: Number(real),
        ...UNCHANGED_BODY,
      })),
      // The headers exceed the limit once the service has added its own.
      { filter: all(refused, status('EQ', 500)), ...makeReply(headersTooLarge) },
      { filter: refused, ...UNCHANGED_BODY },
      { filter: matchFlags('UT', 'SI', 'DT'), ...makeReply(upstreamTimeout) },
      { filter: matchFlags('UC', 'UR', 'UPE'), ...makeReply(upstreamReset) },
      { filter: matchFlags('UO'), ...makeReply(edgeOverloaded) },
      { filter: matchFlags('UF', 'UH', 'LR', 'URX', 'NC'), ...makeReply(upstreamUnreachable) },
      { filter: status('EQ', 429), ...makeReply(sourceLimited) },
      { filter: status('EQ', 413), ...makeReply(bodyTooLarge) },
      { filter: status('EQ', 431), ...makeReply(headersTooLarge) },
      { filter: status('EQ', 408), ...makeReply(malformedRequest('ERR_HTTP_REQUEST_TIMEOUT')) },
      // Envoy refuses Upgrade and CONNECT with an empty 403.
      { filter: status('EQ', 403), ...makeReply(protocolNotOffered) },
      { filter: status('EQ', 404), ...makeReply(unknownPath) },
      { filter: status('EQ', 400), ...makeReply(malformedRequest(undefined)) },
      // Envoy's overload manager refuses before any flag is set.
      { filter: status('EQ', 503), ...makeReply(edgeOverloaded) },
      { filter: status('GE', 500), body_format_override: keepEnvoyText('INTERNAL_ERROR') },
    ],
    body_format: keepEnvoyText('BAD_REQUEST'),
  };
}

/** Rare errors keep Envoy's own text. */
function keepEnvoyText(code: string): object {
  return {
    json_format: { error_code: code, message: 'Cannot answer the request: %LOCAL_REPLY_BODY%' },
    content_type: 'application/json',
  };
}

const UNCHANGED_BODY = {
  body_format_override: {
    text_format_source: { inline_string: '%LOCAL_REPLY_BODY%' },
    content_type: 'application/json',
  },
} as const;

/** A constant text in Envoy's format, in which % is escaped as %%. */
function makeReply(refusal: Refusal): object {
  return {
    status_code: refusal.status,
    body_format_override: {
      text_format_source: { inline_string: renderRefusal(refusal).replaceAll('%', '%%') },
      content_type: 'application/json',
    },
    headers_to_add: makeReplyHeaders(refusal),
  };
}

function makeReplyHeaders({ headers = {} }: Refusal): readonly object[] {
  return Object.entries(headers).map(([key, value]) => ({
    header: { key, value },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  }));
}

function all(...filters: readonly object[]): object {
  return { and_filter: { filters } };
}

function matchFlags(...names: readonly string[]): object {
  return { response_flag_filter: { flags: names } };
}

function status(op: 'EQ' | 'GE', value: number): object {
  return { status_code_filter: { comparison: { op, value: { default_value: value, runtime_key: `davit.${value}` } } } };
}
