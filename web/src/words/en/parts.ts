/** What the shared parts say. */
export const parts = {
  type: {
    boolean: "Yes or no",
    categorical: "Category",
    integer: "Whole number",
    numeric: "Number",
    date: "Date",
    time: "Time",
    datetime: "Date and time",
    coordinates: "Coordinates",
    text: "Text",
    identifier: "Identifier",
    reference: "Reference to another table",
    unknown: "Type not known",
    key: "Primary key",
  },
  shield: {
    protected: "Sensitive, synthesized",
    protectedHelp: "Personal data. The values in the result are new ones, drawn by the model.",
    excluded: "Sensitive, not synthesized",
    excludedHelp: "Personal data. It is kept out of the model.",
  },
  grid: {
    rowNumber: "Row",
    missing: "Missing",
    empty: "This table has no rows.",
    rowsOf: "Rows {{first}} to {{last}} of {{total}}",
    goTo: "Go to row",
    columns_one: "{{count}} column",
    columns_other: "{{count}} columns",
  },
};
