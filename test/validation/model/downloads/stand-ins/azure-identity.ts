// Microsoft Entra ID, as far as the client credentials of a service principal need it (RFC 6749 4.4, OpenID Connect discovery).
import { type Handler, readBody, sendJson } from './objects.ts';

const HOST = 'login.microsoftonline.com';

export const AZURE_TOKEN = 'access-token-of-entra-id';

export interface ServicePrincipal {
  readonly tenant: string;
  readonly client: string;
  readonly secret: string;
}

/** The host that issues the tokens of a service principal. */
export function serveEntraId({ tenant, client, secret }: ServicePrincipal): Readonly<Record<string, Handler>> {
  const base = `https://${HOST}/${tenant}`;
  return {
    [HOST]: (request, response) => {
      const { pathname } = new URL(request.url ?? '', base);
      if (pathname === '/common/discovery/instance')
        sendJson(response, 200, {
          tenant_discovery_endpoint: `${base}/v2.0/.well-known/openid-configuration`,
          metadata: [{ preferred_network: HOST, preferred_cache: 'login.windows.net', aliases: [HOST] }],
        });
      else if (pathname === `/${tenant}/v2.0/.well-known/openid-configuration`)
        sendJson(response, 200, {
          ...{ issuer: `${base}/v2.0`, authorization_endpoint: `${base}/oauth2/v2.0/authorize` },
          token_endpoint: `${base}/oauth2/v2.0/token`,
        });
      else if (pathname === `/${tenant}/oauth2/v2.0/token`)
        void readBody(request).then((form) => {
          const isGrant = form.get('grant_type') === 'client_credentials';
          const isScope = form.get('scope')?.split(' ').includes('https://storage.azure.com/.default');
          const isKnown =
            isGrant && isScope && form.get('client_id') === client && form.get('client_secret') === secret;
          const issued = { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: AZURE_TOKEN };
          sendJson(
            response,
            isKnown ? 200 : 401,
            isKnown ? issued : { error: 'invalid_client', error_codes: [7000215] },
          );
        });
      else sendJson(response, 404, {});
    },
  };
}
