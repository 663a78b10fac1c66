import { type Refusal, renderRefusal } from '../../serving-api/refusal.ts';
import { headersTooLarge, type KnativeErrorMapping, knativeErrorMappings } from '../edge-refusals.ts';
import { MAX_HEADERS } from './header-limits.ts';

/**
 * Makes the Lua that counts a client's headers, because Envoy only ends the stream of an HTTP/2 request with too many.
 * It also replaces Knative's error texts with Databricks' bodies. A model's own errors are JSON; those of Knative and
 * of its Envoy never are.
 */
export function makeLua(): string {
  return `
local replies = {
${knativeErrorMappings.map(renderReply).join('\n')}
}

local function fits(reply, status, go, text)
  if reply.status ~= status or (reply.go and not go) then return false end
  return not reply.says or string.find(text, reply.says, 1, true) ~= nil
end

local known = { ${[...new Set(knativeErrorMappings.map(({ status }) => `["${status}"] = true`))].join(', ')} }

-- What Envoy itself has added is not the client's, and its host is not among these.
local added = { ["x-forwarded-for"] = true, ["x-forwarded-proto"] = true, ["x-request-id"] = true }

function envoy_on_request(handle)
  local count = 1
  for name in pairs(handle:headers()) do
    local own = string.sub(name, 1, 1) ~= ":" and string.sub(name, 1, 8) ~= "x-envoy-"
    if own and not added[name] then count = count + 1 end
  end
  if count > ${MAX_HEADERS} then handle:respond({ [":status"] = "${headersTooLarge.status}" }, "") end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status = headers:get(":status")
  if status < "400" then return end
  local kind = headers:get("content-type")
  if kind and string.sub(kind, 1, 16) == "application/json" then return end
  if not known[status] then return end
  local go = headers:get("x-content-type-options") == "nosniff"
  local body = handle:body(true)
  local text = body:getBytes(0, body:length())
  headers = handle:headers() -- the earlier ones ended while the body came
  for _, reply in ipairs(replies) do
    if fits(reply, status, go, text) then
      headers:replace(":status", reply.as)
      headers:replace("content-type", "application/json")
      headers:remove("x-content-type-options")
      if reply.retry then headers:replace("retry-after", reply.retry) end
      body:setBytes(reply.body)
      return
    end
  end
end
`;
}

function renderReply({ status, busy, says, refusal }: KnativeErrorMapping): string {
  const retry = refusal.headers?.['retry-after'];
  return `  { status = "${status}", go = ${String(busy)}, ${says === undefined ? '' : `says = "${says}", `}as = "${refusal.status}", ${retry === undefined ? '' : `retry = "${retry}", `}body = ${quoteForLua(refusal)} },`;
}

/** Lua's long brackets take any text that does not contain the closing bracket. */
function quoteForLua(refusal: Refusal): string {
  return `[==[${renderRefusal(refusal)}]==]`;
}
