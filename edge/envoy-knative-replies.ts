import { type Refusal, renderRefusal } from '../gateway/refusal.ts';
import { type KnativeReply, knativeReplies } from './edge-refusals.ts';

/**
 * Makes the Lua that puts Databricks' bodies in place of what Knative says where a model would have answered. A model's
 * own errors are JSON, Knative's and its Envoy's never are.
 */
export function makeKnativeReplies(): string {
  return `
local replies = {
${knativeReplies.map(renderReply).join('\n')}
}

local function fits(reply, status, headers)
  if reply.status ~= status then return false end
  return not reply.go or headers:get("x-content-type-options") == "nosniff"
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status = headers:get(":status")
  if status < "400" then return end
  local kind = headers:get("content-type")
  if kind and string.sub(kind, 1, 16) == "application/json" then return end
  for _, reply in ipairs(replies) do
    if fits(reply, status, headers) then
      local body = handle:body(true)
      headers = handle:headers() -- those of before ended while the body came
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

function renderReply({ status, busy, refusal }: KnativeReply): string {
  const retry = refusal.headers?.['retry-after'];
  return `  { status = "${status}", go = ${String(busy)}, as = "${refusal.status}", ${retry === undefined ? '' : `retry = "${retry}", `}body = ${quote(refusal)} },`;
}

/** Lua's long brackets take any text without their own end. */
function quote(refusal: Refusal): string {
  return `[==[${renderRefusal(refusal)}]==]`;
}
