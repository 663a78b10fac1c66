import type { PythonOptions } from '../../python/find-uv.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import { readEndpoint } from '../../schemas/read-project.ts';
import type { ProjectRequest } from '../project-request.ts';
import { readRegistries } from '../read-registries.ts';
import { chooseEntity } from './choose-entity.ts';
import type { FetchOptions } from '../../validation/model/fetched-model.ts';
import { fetchModel } from '../../validation/model/fetch-model.ts';
import { type Model, readModel } from '../../validation/model/read-model.ts';
import { editRequirements } from '../../validation/requirements/edit-requirements.ts';
import { locateProblem, makeSubject } from '../../validation/subject.ts';

/** The requirements of a served entity, and what the endpoint file changes in those of the model. */
export interface EntityRequirements {
  readonly entity: string;
  /** `iris 2` */
  readonly model: string;
  /** What is resolved, in the order of the model; conda packages that are installed with pip are among them. */
  readonly requirements: readonly ListedRequirement[];
  /** Requirements of the model that the endpoint file removes. */
  readonly removed: readonly string[];
}

export interface ListedRequirement {
  readonly requirement: string;
  /** Where it is written. */
  readonly from: 'model' | 'endpoint';
  /** The requirements of the model that it replaces. */
  readonly replaces: readonly string[];
}

/** The model of an entity, read from its files; undefined if the diagnostics say why not. */
export interface OpenedModel {
  readonly folder: string;
  readonly model: Model;
}

/** Fetches and reads the model of an entity. Runs none of its code. */
export async function openModel(
  endpoint: Endpoint,
  entity: Entity,
  options: PythonOptions & Pick<FetchOptions, 'root' | 'registries'>,
): Promise<{ readonly opened: OpenedModel | undefined; readonly diagnostics: readonly Diagnostic[] }> {
  const subject = makeSubject(endpoint, entity);
  const { folder, diagnostics } = await fetchModel(subject, options);
  if (folder === undefined) return { opened: undefined, diagnostics };
  const { model, problems } = await readModel(folder);
  if (!model) return { opened: undefined, diagnostics: problems.map((p) => locateProblem(subject, p)) };
  return { opened: { folder, model }, diagnostics: [] };
}

/** Lists what is resolved for an entity. */
export function listRequirements(endpoint: Endpoint, entity: Entity, model: Model): EntityRequirements {
  const subject = makeSubject(endpoint, entity);
  const { requirements, twins } = editRequirements(subject, model);
  const ofModel = new Set([...model.requirements, ...twins.map((t) => t.requirement)]);
  const names = new Set(requirements.map((r) => r.name));
  const own = Map.groupBy(model.requirements, (r) => r.name);
  return {
    entity: entity.name,
    model: subject.label,
    requirements: requirements.map((r) => {
      const from = ofModel.has(r) ? 'model' : 'endpoint';
      return {
        requirement: r.text,
        from,
        replaces: from === 'model' ? [] : (own.get(r.name) ?? []).map((o) => o.text),
      };
    }),
    removed: model.requirements.filter((r) => !names.has(r.name)).map((r) => r.text),
  };
}

/** Lists the requirements of all entities of an endpoint, or of one. */
export async function listEndpointRequirements(
  name: string,
  entity: string | undefined,
  request: ProjectRequest,
): Promise<{ readonly entities: readonly EntityRequirements[]; readonly diagnostics: readonly Diagnostic[] }> {
  const { value: endpoint, diagnostics } = await readEndpoint(request.place, name);
  if (!endpoint) return { entities: [], diagnostics };
  const wanted = entity === undefined ? endpoint.entities : [chooseEntity(endpoint, entity)];
  const registries = await readRegistries(request.place, []);
  const options = { ...request, root: request.place.root, registries };
  const listed = await Promise.all(
    wanted.map(async (one) => {
      const { opened, diagnostics: wrong } = await openModel(endpoint, one, options);
      return { entities: opened ? [listRequirements(endpoint, one, opened.model)] : [], diagnostics: wrong };
    }),
  );
  return {
    entities: listed.flatMap((l) => l.entities),
    diagnostics: [...diagnostics, ...listed.flatMap((l) => l.diagnostics)],
  };
}
