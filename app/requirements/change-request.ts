import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { RequirementsEdit } from '../../validation/requirements/editing/plan-list-edit.ts';
import type { EnvironmentRequest } from '../project-request.ts';
import type { OpenedModel } from './list-requirements.ts';

export interface ChangeRequest extends EnvironmentRequest {
  readonly endpoint: string;
  /** May be left out if the endpoint has one served entity. */
  readonly entity: string | undefined;
  readonly edit: RequirementsEdit;
  /** Edits the files of the model instead of the endpoint file. */
  readonly isInModel: boolean;
  /** Writes nothing, and runs no model. */
  readonly isDryRun: boolean;
  /** Runs no model. */
  readonly withoutProof: boolean;
}

/** What `davit requirements` edits: one entity of an endpoint file, and its model. */
export interface EditedSubject {
  readonly endpoint: Endpoint;
  readonly entity: Entity;
  readonly opened: OpenedModel;
}

/**
 * An edit that is not final: the endpoint and the model as they are with it. `keep` makes it final, `restore` undoes what is
 * written already.
 */
export interface PreparedEdit {
  readonly files: readonly string[];
  readonly endpoint: Endpoint;
  readonly keep: () => Promise<void>;
  readonly restore: () => Promise<void>;
  readonly others: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}
