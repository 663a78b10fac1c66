import { PERMISSION_LEVELS, type Permission, type PermissionLevel } from '../schemas/deployment/serving-entry.ts';
import { endpointId } from './render-endpoint.ts';

const FIELDS = {
  user: 'user_name',
  group: 'group_name',
  service_principal: 'service_principal_name',
  users: 'group_name',
} as const;

const DESCRIPTIONS: Readonly<Record<PermissionLevel, string>> = {
  CAN_VIEW: 'Can see the endpoint, its state and metrics',
  CAN_QUERY: 'Can also query the endpoint',
  CAN_MANAGE:
    'Can also read the logs. The endpoint changes through its file in Git: the owners of the file decide who may change it',
};

/** Makes Databricks' body of `GET /api/2.0/permissions/serving-endpoints/ID`. */
export function renderPermissions(endpoint: string, permissions: readonly Permission[]): object {
  return {
    object_id: `/serving-endpoints/${endpointId(endpoint)}`,
    object_type: 'serving-endpoint',
    access_control_list: permissions.map(({ principal, level }) => ({
      [FIELDS[principal.kind]]: principal.kind === 'users' ? 'users' : principal.name,
      all_permissions: [{ permission_level: level, inherited: false }],
    })),
  };
}

/** Makes Databricks' body of `GET …/permissionLevels`. */
export function renderPermissionLevels(): object {
  return {
    permission_levels: PERMISSION_LEVELS.map((level) => ({
      permission_level: level,
      description: DESCRIPTIONS[level],
    })),
  };
}
