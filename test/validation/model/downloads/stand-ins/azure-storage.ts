// Azure's Blob service and Data Lake Storage Gen2, as far as a download needs them, by their published references:
// https://learn.microsoft.com/rest/api/storageservices, with "Authorize with Shared Key" and "Path - List"
import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Handler, listLevel, type Objects, parseRange, sendJson, sendObject, type StoreFault } from './objects.ts';

export interface AzureContainer {
  readonly account: string;
  readonly name: string;
  readonly objects: Objects;
  readonly isAllowed: (request: IncomingMessage, url: URL) => boolean;
  /** `/acme` before each path, where the account is not in the host, as in the emulator. */
  readonly base?: string;
  fault: StoreFault;
}

export function serveBlobs(container: AzureContainer): Handler {
  return (request, response) => {
    const url = new URL(request.url ?? '', `https://${container.account}.blob.core.windows.net`);
    const root = `${container.base ?? ''}/${container.name}`;
    const query = url.searchParams;
    if (!/^\d{4}-\d\d-\d\d$/.test(String(request.headers['x-ms-version'])))
      sendError(response, 400, 'MissingRequiredHeader'); // prettier-ignore
    else if (!container.isAllowed(request, url)) sendError(response, 403, 'AuthenticationFailed');
    else if (url.pathname !== root && !url.pathname.startsWith(`${root}/`))
      sendError(response, 404, 'ContainerNotFound'); // prettier-ignore
    else if (query.get('restype') === 'container' && query.get('comp') === 'list')
      sendBlobs(response, container, query); // prettier-ignore
    else {
      const range = request.headers['x-ms-range'] ?? request.headers.range;
      const name = decodeURIComponent(url.pathname.slice(root.length + 1));
      sendBlob(response, container, { name, range: range as string | undefined });
    }
  };
}

function sendBlobs(response: ServerResponse, { account, name, objects }: AzureContainer, query: URLSearchParams): void {
  const prefix = query.get('prefix') ?? '';
  const { files, folders, next } = listLevel(objects, prefix, query.get('marker') ?? '');
  const modified = '<Last-Modified>Mon, 30 Nov 2026 10:00:00 GMT</Last-Modified><Etag>0x8D1</Etag>';
  const blobs = files.map((file) => `<Blob><Name>${escapeXml(file)}</Name><Properties>${modified}<Content-Length>${objects.get(file)?.length ?? 0}</Content-Length><Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType><LeaseStatus>unlocked</LeaseStatus></Properties></Blob>`); // prettier-ignore
  const prefixes = folders.map((folder) => `<BlobPrefix><Name>${escapeXml(folder)}</Name></BlobPrefix>`);
  const text = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://${account}.blob.core.windows.net/" ContainerName="${name}"><Prefix>${escapeXml(prefix)}</Prefix><Delimiter>/</Delimiter><Blobs>${[...blobs, ...prefixes].join('')}</Blobs><NextMarker>${escapeXml(next ?? '')}</NextMarker></EnumerationResults>`;
  response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
}

function sendBlob(
  response: ServerResponse,
  { objects, fault }: AzureContainer,
  { name, range }: { readonly name: string; readonly range: string | undefined },
): void {
  const content = objects.get(name);
  if (content === undefined) sendError(response, 404, 'BlobNotFound');
  else if (fault.denies === name) sendError(response, 403, 'AuthorizationPermissionMismatch');
  else if ((parseRange(range, content.length)?.from ?? -1) >= content.length) sendError(response, 416, 'InvalidRange');
  else {
    const headers = {
      ...{ etag: '"0x8D1"', 'last-modified': 'Mon, 30 Nov 2026 10:00:00 GMT', 'x-ms-blob-type': 'BlockBlob' },
      ...{ 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', 'x-ms-version': '2025-05-05' },
    };
    sendObject(response, { name, content }, { range, headers, fault });
  }
}

/** The operation "Path - List" of the Data Lake's own host. Files are read from the host of the blobs. */
export function servePaths(container: AzureContainer): Handler {
  return (request, response) => {
    const url = new URL(request.url ?? '', `https://${container.account}.dfs.core.windows.net`);
    const query = url.searchParams;
    const directory = query.get('directory') ?? '';
    const prefix = directory === '' ? '' : `${directory}/`;
    const isKnown = [...container.objects.keys()].some((name) => name.startsWith(prefix));
    if (!container.isAllowed(request, url)) sendError(response, 403, 'AuthenticationFailed');
    else if (url.pathname !== `/${container.name}`) sendError(response, 404, 'FilesystemNotFound');
    else if (query.get('resource') !== 'filesystem' || query.get('recursive') !== 'false')
      sendError(response, 400, 'InvalidQueryParameterValue'); // prettier-ignore
    else if (!isKnown) sendError(response, 404, 'PathNotFound');
    else {
      const { files, folders, next } = listLevel(container.objects, prefix, query.get('continuation') ?? '');
      const common = { lastModified: 'Mon, 30 Nov 2026 10:00:00 GMT', etag: '0x8D1', owner: '$superuser', permissions: 'rw-r-----' }; // prettier-ignore
      const paths = [
        ...files.map((name) => ({ ...common, name, contentLength: String(container.objects.get(name)?.length ?? 0) })),
        ...folders.map((name) => ({ ...common, name: name.slice(0, -1), isDirectory: 'true', contentLength: '0' })),
      ];
      if (next !== undefined) response.setHeader('x-ms-continuation', next);
      sendJson(response, 200, { paths });
    }
  };
}

function sendError(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-ms-error-code': code, 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>internal words</Message></Error>`);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const SIGNED_HEADERS = [
  ...['content-encoding', 'content-language', 'content-length', 'content-md5', 'content-type', 'date'],
  ...['if-modified-since', 'if-match', 'if-none-match', 'if-unmodified-since', 'range'],
];

/** Whether a request is signed with the key of an account, in the scheme SharedKey. */
export function isSignedWith(account: string, key: string) {
  return ({ method = '', headers }: IncomingMessage, { pathname, searchParams }: URL): boolean => {
    const own = SIGNED_HEADERS.map((name) => headers[name] ?? '').map((value) => (value === '0' ? '' : String(value)));
    const ours = Object.entries(headers).filter(([name]) => name.startsWith('x-ms-'));
    const canonical = ours.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${String(value).trim()}`); // prettier-ignore
    const fields = [...new Set([...searchParams.keys()].map((name) => name.toLowerCase()))].sort();
    const queries = fields.map((name) => `${name}:${searchParams.getAll(name).sort().join(',')}`);
    const text = [method, ...own, ...canonical, [`/${account}${pathname}`, ...queries].join('\n')].join('\n');
    const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
    return headers.authorization === `SharedKey ${account}:${signature}`;
  };
}
