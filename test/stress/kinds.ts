/** A model of the stress test: one file in models/, whose first line says what it is about. */
export interface Kind {
  readonly name: string;
  /** One of environments.ts. */
  readonly environment: 'light' | 'libraries' | 'keras' | 'torch';
  /** The most requests of one run; for models whose predictions are slow. */
  readonly most?: number;
  /** Part of every test run, not only with DAVIT_STRESS=all: one model for each kind of cause, the hardest to notice. */
  readonly isInEveryRun?: boolean;
  /** Forks of it must be shared: to load it in each worker would only cost memory. */
  readonly isHarmless?: boolean;
  /** Its answers are random or numbers of requests: none may come twice. */
  readonly isDistinct?: boolean;
}

const LIGHT: Readonly<Record<string, Partial<Kind>>> = {
  alarm_in_predict: {},
  background_thread: { isInEveryRun: true },
  blocked_sockets: { isHarmless: true },
  dict_cache: { isInEveryRun: true, isHarmless: true },
  event_loop: { isInEveryRun: true },
  file_in_cycle: { isHarmless: true },
  file_lock: {},
  file_offset: { isInEveryRun: true },
  fixed_folder: { most: 400 },
  fixed_path: { isInEveryRun: true },
  fixed_path_library: {},
  forest: { most: 400 },
  helper_process: {},
  interval_timer: { most: 400, isInEveryRun: true },
  lazy_file: { isInEveryRun: true },
  linear: { isHarmless: true },
  locked_rows: { most: 400 },
  loky_parallel: { most: 400 },
  mapped_counter: {},
  mapped_weights: {},
  mmap_anonymous: {},
  no_example: {},
  pool_in_predict: { most: 100, isInEveryRun: true },
  pool_spawned: { most: 8 },
  process_lock: {},
  program_in_predict: { most: 400 },
  random_instances: { isDistinct: true },
  random_seeded: { isInEveryRun: true, isHarmless: true },
  request_ids: { isDistinct: true, isInEveryRun: true },
  scratch_elsewhere: {},
  scratch_path: {},
  scratch_seldom: { isInEveryRun: true },
  service_session: {},
  session_one_row: { isInEveryRun: true },
  shared_memory: { isInEveryRun: true },
  socket_at_first: {},
  socket_at_load: {},
  sqlite_file: { isInEveryRun: true },
  telemetry_thread: { isHarmless: true },
  temp_file: {},
  temp_folder_renewed: {},
  temp_name: {},
  thread_pool: {},
  working_folder: { isInEveryRun: true },
};

const HEAVY: Readonly<Record<string, Partial<Kind> & Pick<Kind, 'environment'>>> = {
  catboost_regressor: { environment: 'libraries' },
  duckdb_table: { environment: 'libraries' },
  grpc_channel: { environment: 'libraries' },
  keras_dense: { environment: 'keras' },
  lightgbm_regressor: { environment: 'libraries' },
  onnx_session: { environment: 'libraries' },
  polars_frame: { environment: 'libraries' },
  torch_module: { environment: 'torch' },
  xgboost_regressor: { environment: 'libraries' },
};

export const KINDS: readonly Kind[] = [
  ...Object.entries(LIGHT).map(([name, more]) => ({ name, environment: 'light' as const, ...more })),
  ...Object.entries(HEAVY).map(([name, more]) => ({ name, ...more })),
];
