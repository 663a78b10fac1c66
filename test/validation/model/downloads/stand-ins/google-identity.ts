// Google's servers of tokens: for the key of a service account (RFC 7523) and for workload identity (RFC 8693, with GitHub's
// token as its subject).
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { type Handler, readBody, sendJson } from './objects.ts';

const TOKEN_URI = 'https://oauth2.googleapis.com/token';
const SCOPE = /\bhttps:\/\/www\.googleapis\.com\/auth\/(?:devstorage\.|cloud-platform\b)/;

/** The access token that each of the servers here issues. */
export const GOOGLE_TOKEN = 'ya29.access-token-of-google';

export interface GoogleIdentity {
  /** What a secret or a file of credentials contains. */
  readonly keyFile: string;
  readonly workloadIdentity: string;
  readonly hosts: Readonly<Record<string, Handler>>;
}

/** A service account, with the hosts that issue its tokens. */
export function makeGoogleIdentity(): GoogleIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const client_email = 'models@acme.iam.gserviceaccount.com';
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const private_key_id = createHash('sha1').update(private_key).digest('hex');
  const isSigned = (assertion: string) => {
    const [head = '', body = '', signature = ''] = assertion.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    const isOurs = claims['iss'] === client_email && claims['aud'] === TOKEN_URI && SCOPE.test(String(claims['scope']));
    return isOurs && verify('sha256', Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, 'base64url'));
  };
  return {
    keyFile: JSON.stringify(
      { type: 'service_account', project_id: 'acme', private_key_id, private_key, client_email, token_uri: TOKEN_URI },
      null,
      2,
    ),
    workloadIdentity: JSON.stringify(WORKLOAD_IDENTITY),
    hosts: {
      'oauth2.googleapis.com': answer('/token', (form) => {
        const isGrant = form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer';
        return isGrant && isSigned(form.get('assertion') ?? '');
      }),
      'sts.googleapis.com': answer('/v1/token', (form) => {
        const isGrant = form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:token-exchange';
        return isGrant && form.get('audience') === AUDIENCE && form.get('subject_token') === SUBJECT_TOKEN;
      }),
      // What Google's library also asks, and does without.
      'cloudresourcemanager.googleapis.com': (_, response) => sendJson(response, 403, {}),
      'iamcredentials.googleapis.com': (_, response) => sendJson(response, 404, {}),
      [GITHUB]: ({ headers }, response) => {
        const isRunner = headers.authorization === `Bearer ${REQUEST_TOKEN}`;
        sendJson(response, isRunner ? 200 : 401, isRunner ? { value: SUBJECT_TOKEN } : {});
      },
    },
  };
}

const GITHUB = 'run-actions-1.actions.githubusercontent.com';
const REQUEST_TOKEN = 'request-token-of-the-runner';
const SUBJECT_TOKEN = 'token-that-github-issues';
const AUDIENCE = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/acme';
/** As google-github-actions/auth writes it. */
const WORKLOAD_IDENTITY = {
  ...{ type: 'external_account', audience: AUDIENCE, universe_domain: 'googleapis.com' },
  ...{ subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', token_url: 'https://sts.googleapis.com/v1/token' },
  credential_source: {
    url: `https://${GITHUB}/token?api-version=2.0&audience=acme`,
    headers: { Authorization: `Bearer ${REQUEST_TOKEN}` },
    format: { type: 'json', subject_token_field_name: 'value' },
  },
};

function answer(path: string, isValid: (form: URLSearchParams) => boolean): Handler {
  return (request, response) => {
    void readBody(request).then((form) => {
      const isKnown = request.method === 'POST' && request.url === path && isValid(form);
      const issued = { access_token: GOOGLE_TOKEN, expires_in: 3600, token_type: 'Bearer' };
      sendJson(response, isKnown ? 200 : 400, isKnown ? issued : { error: 'invalid_grant' });
    });
  };
}
