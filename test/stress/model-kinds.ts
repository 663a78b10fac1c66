/** A model of the stress test: one file in models/FOLDER/, whose first line describes it. */
export interface StressModelKind {
  /** The folder in models/, named after the kind of state that processes may share by mistake. */
  readonly folder: string;
  readonly name: string;
  /** A virtualenv of environments.ts. */
  readonly environment: 'light' | 'libraries' | 'keras' | 'torch';
  /** The maximum number of requests, for models whose predictions are slow. */
  readonly most?: number;
  /** Whether every test run includes the model. Otherwise only DAVIT_STRESS selects it. */
  readonly isInEveryRun?: boolean;
  /** Whether the workers must share the loaded model. Loading it in each worker would only cost memory. */
  readonly isHarmless?: boolean;
  /** Whether all answers must differ, because they are random or are request ids. */
  readonly isDistinct?: boolean;
}

/** The models by folder and name. The default `environment` is `light`. */
const MODELS: Readonly<Record<string, Readonly<Record<string, Partial<StressModelKind>>>>> = {
  files: {
    counter_appended: { isDistinct: true },
    counter_seldom: { isDistinct: true },
    file_in_cycle: { isHarmless: true },
    file_offset: { isInEveryRun: true },
    fixed_folder: { most: 400 },
    fixed_path: { isInEveryRun: true },
    fixed_path_library: {},
    journal: {},
    kept_file: {},
    lazy_file: { isInEveryRun: true },
    library_and_thread: {},
    mapped_counter: {},
    mapped_weights: {},
    named_pipe: {},
    no_example: {},
    scratch_elsewhere: {},
    scratch_path: {},
    scratch_seldom: { isInEveryRun: true },
    sqlite_file: { isInEveryRun: true },
    sqlite_log: {},
    removed_file: {},
    temp_file: {},
    temp_folder_renewed: {},
    temp_name: {},
    working_folder: { isInEveryRun: true },
  },
  locks: {
    file_lock: {},
    lock_until_closed: {},
    locked_rows: { most: 400 },
    other_order: {},
    shared_lock: {},
  },
  processes: {
    alarm_in_predict: {},
    fork_in_predict: {},
    helper_process: {},
    interval_timer: { most: 400, isInEveryRun: true },
    loky_parallel: { most: 400 },
    pool_in_predict: { most: 100, isInEveryRun: true },
    pool_spawned: { most: 8 },
    process_lock: {},
    program_in_predict: { most: 400 },
  },
  threads: {
    background_thread: { isInEveryRun: true },
    event_loop: { isInEveryRun: true },
    fork_hooks: {},
    loop_in_thread: {},
    thread_local: { isHarmless: true },
    telemetry_thread: { isHarmless: true },
    thread_pool: {},
  },
  connections: {
    blocked_sockets: { isHarmless: true },
    fixed_session: { most: 400 },
    kept_database: { most: 400 },
    kept_session: { most: 400, isInEveryRun: true },
    service_session: {},
    session_one_row: { most: 100, isInEveryRun: true },
    socket_at_first: {},
    socket_at_load: {},
  },
  state: {
    dict_cache: { isInEveryRun: true, isHarmless: true },
    log_file: { isHarmless: true },
    mmap_anonymous: {},
    named_memory: {},
    random_instances: { isDistinct: true },
    random_seeded: { isInEveryRun: true, isHarmless: true },
    request_ids: { isDistinct: true, isInEveryRun: true },
    shared_memory: { isInEveryRun: true },
  },
  libraries: {
    catboost_regressor: { environment: 'libraries' },
    duckdb_table: { environment: 'libraries' },
    forest: { most: 400 },
    grpc_channel: { environment: 'libraries' },
    keras_dense: { environment: 'keras' },
    lightgbm_regressor: { environment: 'libraries' },
    linear: { isHarmless: true },
    onnx_session: { environment: 'libraries' },
    polars_frame: { environment: 'libraries' },
    torch_module: { environment: 'torch' },
    xgboost_regressor: { environment: 'libraries' },
  },
};

export const MODEL_KINDS: readonly StressModelKind[] = Object.entries(MODELS).flatMap(([folder, models]) =>
  Object.entries(models).map(([name, more]) => ({ folder, name, environment: 'light' as const, ...more })),
);
