/** What an evaluation and a certificate hold: files of an execution, whose form the API's document leaves open. */

export interface Metric {
  name: string;
  value: number;
  interval: [number, number] | null;
  reference: number | null;
  direction: "higher" | "lower" | "reference";
}

/** Shares of the same cells; a cell has a label, or an end below and one above. */
export interface Distribution {
  labels: string[];
  edges: number[];
  scale: "number" | "date" | "time" | "datetime";
  original: number[];
  synthetic: number[];
  holdout: number[] | null;
}

export interface ColumnComparison {
  name: string;
  type: string;
  similarity: Metric;
  /** Of original, synthetic and, if there are any, held-out rows. */
  missing: number[];
  distribution: Distribution | null;
}

export interface PairComparison {
  columns: string[];
  similarity: number[][];
  association_original: number[][];
  association_synthetic: number[][];
}

export interface CountComparison {
  shown: Distribution;
  similarity: Metric;
  means: number[];
}

export interface RelationComparison {
  name: string;
  kind: string;
  table: string;
  columns: string[];
  parent: string;
  counts: CountComparison | null;
  missing: number[] | null;
  depth: CountComparison | null;
  pairs: Metric | null;
  families: Metric | null;
  accuracy: number;
}

export interface NeighbourComparison {
  columns: number;
  to_original: Distribution;
  within: Distribution;
  proximity: Distribution | null;
  metrics: Metric[];
  risk: number;
}

export interface TableEvaluation {
  name: string;
  /** Of original, synthetic and held-out part, rounded to two digits. */
  rows: [number, number, number];
  accuracy: number;
  privacy: number | null;
  metrics: Metric[];
  columns: ColumnComparison[];
  pairs: PairComparison | null;
  neighbours: NeighbourComparison | null;
}

export interface Evaluation {
  accuracy: number | null;
  privacy: number | null;
  privacy_missing: "no_holdout" | "too_few" | null;
  has_holdout: boolean;
  tables: TableEvaluation[];
  relations: RelationComparison[];
}

export interface Guarantee {
  code: string;
  where: string;
  passed: boolean;
  checked_rows: number;
  violations: number;
}

export interface Certificate {
  passed: boolean;
  guarantees: Guarantee[];
}
