import { type Diagnostic, makeWarning, type SourceLocation } from '../diagnostic.ts';
import type { Locate } from '../yaml/parsed-yaml.ts';
import { type EndpointFile, entityName } from './endpoint-file.ts';
import { parseImageUri } from './image-uri.ts';
import { parseMovingVersion, parseRegisteredVersion } from './model-reference.ts';

/** Warns about `latest` and stages: nobody decides which version they mean, so every lock may bring another model. */
export function checkVersions({ config, davit }: EndpointFile, locate: Locate): readonly Diagnostic[] {
  return config.served_entities.flatMap((served, i) => {
    const name = entityName(served);
    const uri = davit?.served_entities?.[name]?.model_uri;
    if (uri === undefined)
      return warnAboutMovingVersion(
        String(served.entity_version),
        locate(['config', 'served_entities', i, 'entity_version']),
      );
    const place = locate(['davit', 'served_entities', name, 'model_uri']);
    const image = parseImageUri(uri);
    if (image?.tag?.toLowerCase() === 'latest' && image.digest === undefined)
      return [warnAboutMovingTag(image.tag, place)];
    return warnAboutMovingVersion(parseRegisteredVersion(uri)?.version ?? '', place);
  });
}

function warnAboutMovingTag(tag: string, place: SourceLocation): Diagnostic {
  const message = `Found "${tag}" as the tag of an image: it is whatever image was pushed last, expected a tag that you set or a digest`;
  const hint = 'The lock holds the digest that it means now. Write that digest, or a tag such as 2';
  return makeWarning('moving-version', place, message, hint);
}

function warnAboutMovingVersion(version: string, place: SourceLocation): readonly Diagnostic[] {
  const moving = parseMovingVersion(version);
  if (!moving || moving.kind === 'alias') return [];
  const why =
    moving.kind === 'latest'
      ? 'it is whatever version was registered last'
      : 'MLflow has deprecated stages, and one stage can have several versions';
  return [
    makeWarning(
      'moving-version',
      place,
      `Found "${version}" as the version of a model: ${why}, expected a number or an alias`,
      'The lock holds the version that it means now. Write that number, or an alias: "@champion"',
    ),
  ];
}
