// Amazon S3, as far as a download needs it, by its published reference: ListObjectsV2, HeadObject and GetObject of
// https://docs.aws.amazon.com/AmazonS3/latest/API, with the bucket in the path
import { createHash } from 'node:crypto';
import { type Handler, listLevel, type Objects, sendObject, type StoreFault } from './objects.ts';

export interface S3Bucket {
  readonly name: string;
  readonly objects: Objects;
  /** The id of the key that may read it. */
  readonly accessKey: string;
  fault: StoreFault;
}

const MODIFIED = { list: '2026-11-30T10:00:00.000Z', header: 'Mon, 30 Nov 2026 10:00:00 GMT' };

export function serveS3({ name: bucket, objects, accessKey, ...store }: S3Bucket): Handler {
  return (request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const name = decodeURIComponent(url.pathname.slice(bucket.length + 2));
    const content = objects.get(name);
    const sendError = (status: number, code: string) => {
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(request.method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>internal words</Message></Error>`); // prettier-ignore
    };
    if (!request.headers.authorization?.includes(`Credential=${accessKey}/`)) sendError(403, 'InvalidAccessKeyId');
    else if (url.pathname.split('/')[1] !== bucket) sendError(404, 'NoSuchBucket');
    else if (url.searchParams.get('list-type') === '2') {
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end(renderList(bucket, objects, url.searchParams));
    } else if (content === undefined) sendError(404, 'NoSuchKey');
    else {
      const etag = `"${createHash('md5').update(content).digest('hex')}"`;
      const headers = { etag, 'last-modified': MODIFIED.header, 'accept-ranges': 'bytes' };
      const { range } = request.headers;
      if (request.method === 'HEAD') response.writeHead(200, { ...headers, 'content-length': content.length }).end();
      else sendObject(response, { name, content }, { range, headers, fault: store.fault });
    }
  };
}

function renderList(bucket: string, objects: Objects, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const { files, folders, next } = listLevel(objects, prefix, query.get('continuation-token') ?? '');
  // The client asks for names as in an address, because XML cannot have every letter.
  const write = (name: string) => encodeURIComponent(name).replaceAll('%2F', '/');
  const contents = files.map((name) => `<Contents><Key>${write(name)}</Key><LastModified>${MODIFIED.list}</LastModified><ETag>"x"</ETag><Size>${objects.get(name)?.length ?? 0}</Size><StorageClass>STANDARD</StorageClass></Contents>`); // prettier-ignore
  const common = folders.map((name) => `<CommonPrefixes><Prefix>${write(name)}</Prefix></CommonPrefixes>`);
  const token = next === undefined ? '' : `<NextContinuationToken>${write(next)}</NextContinuationToken>`;
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${write(prefix)}</Prefix><KeyCount>${files.length + folders.length}</KeyCount><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><EncodingType>url</EncodingType><IsTruncated>${String(next !== undefined)}</IsTruncated>${token}${contents.join('')}${common.join('')}</ListBucketResult>`;
}
