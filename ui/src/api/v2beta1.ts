/** Shapes of KFP's public API v2beta1, as far as the UI writes or reads them. Absent fields have default values. */

export type RuntimeState =
  | "RUNTIME_STATE_UNSPECIFIED"
  | "PENDING"
  | "RUNNING"
  | "SUCCEEDED"
  | "SKIPPED"
  | "FAILED"
  | "CANCELING"
  | "CANCELED"
  | "PAUSED";

export type StorageState = "AVAILABLE" | "ARCHIVED" | "STORAGE_STATE_UNSPECIFIED";

export interface Status {
  code?: number;
  message?: string;
}

export interface Experiment {
  experiment_id: string;
  display_name?: string;
  description?: string;
  created_at?: string;
  last_run_created_at?: string;
  storage_state?: StorageState;
}

export interface Pipeline {
  pipeline_id: string;
  display_name?: string;
  name?: string;
  description?: string;
  created_at?: string;
  tags?: Record<string, string>;
}

export interface PipelineVersion {
  pipeline_id: string;
  pipeline_version_id: string;
  display_name?: string;
  name?: string;
  description?: string;
  created_at?: string;
  code_source_url?: string;
  package_url?: { pipeline_url?: string };
  pipeline_spec?: Record<string, unknown>;
  tags?: Record<string, string>;
}

export interface VersionReference {
  pipeline_id: string;
  pipeline_version_id?: string;
}

export interface RuntimeConfig {
  parameters?: Record<string, unknown>;
  pipeline_root?: string;
}

export interface Run {
  run_id: string;
  experiment_id?: string;
  display_name?: string;
  description?: string;
  storage_state?: StorageState;
  pipeline_version_reference?: VersionReference;
  pipeline_spec?: Record<string, unknown>;
  runtime_config?: RuntimeConfig;
  service_account?: string;
  created_at?: string;
  scheduled_at?: string;
  finished_at?: string;
  state?: RuntimeState;
  error?: Status;
  recurring_run_id?: string;
}

export interface CronSchedule {
  start_time?: string;
  end_time?: string;
  cron?: string;
}

export interface PeriodicSchedule {
  start_time?: string;
  end_time?: string;
  interval_second?: string;
}

export interface Trigger {
  cron_schedule?: CronSchedule;
  periodic_schedule?: PeriodicSchedule;
}

export interface RecurringRun {
  recurring_run_id: string;
  display_name?: string;
  description?: string;
  pipeline_version_reference?: VersionReference;
  pipeline_spec?: Record<string, unknown>;
  runtime_config?: RuntimeConfig;
  service_account?: string;
  max_concurrency?: string;
  trigger?: Trigger;
  mode?: "ENABLE" | "DISABLE" | "MODE_UNSPECIFIED";
  status?: "ENABLED" | "DISABLED" | "STATUS_UNSPECIFIED";
  no_catchup?: boolean;
  created_at?: string;
  updated_at?: string;
  experiment_id?: string;
  error?: Status;
}
