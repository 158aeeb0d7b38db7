/** What a panel says of a document: what it holds, never what it leaves to defaults. */

interface Column {
  include?: boolean;
  type?: string | null;
}

interface Table {
  include?: boolean;
  original?: boolean;
  columns?: Record<string, Column>;
}

export interface Document {
  tables?: Record<string, Table>;
  training?: {
    model_size?: string;
    max_epochs?: number;
    adaptive_learning_rate?: boolean;
    learning_rate?: number;
    auto_batching?: boolean;
    batch_size?: number;
  };
  generation?: { rows?: Record<string, number> };
}

export interface Summary {
  tables: number;
  originals: number;
  columns: number;
  modelSize: string | null;
  maxEpochs: number | null;
  /** Null where it is adaptive. */
  learningRate: number | null;
  /** Null where it is automatic. */
  batchSize: number | null;
  rows: [string, number][];
}

function includedTables(document: Document): Table[] {
  return Object.values(document.tables ?? {}).filter((one) => one.include !== false);
}

function includedColumns(document: Document): Column[] {
  return includedTables(document).flatMap((table) =>
    Object.values(table.columns ?? {}).filter((one) => one.include !== false),
  );
}

/** Give the figures and model settings of a document. */
export function summarize(document: Document): Summary {
  const training = document.training ?? {};
  return {
    tables: includedTables(document).length,
    originals: includedTables(document).filter((one) => one.original).length,
    columns: includedColumns(document).length,
    modelSize: training.model_size ?? null,
    maxEpochs: training.max_epochs ?? null,
    learningRate: training.adaptive_learning_rate === false ? (training.learning_rate ?? null) : null,
    batchSize: training.auto_batching === false ? (training.batch_size ?? null) : null,
    rows: Object.entries(document.generation?.rows ?? {}),
  };
}

/** Count the columns of each type, the most frequent first; those left to detection are `unknown`. */
export function countTypes(document: Document): [string, number][] {
  const count = new Map<string, number>();
  for (const { type } of includedColumns(document))
    count.set(type ?? "unknown", (count.get(type ?? "unknown") ?? 0) + 1);
  return [...count].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}
