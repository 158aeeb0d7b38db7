import type { parts as english } from "../en/parts";

export const parts: typeof english = {
  status: {
    none: "Mai eseguita",
    queued: "In attesa",
    running: "In corso",
    paused: "In pausa",
    cancelling: "In annullamento",
    succeeded: "Riuscita",
    failed: "Fallita",
    cancelled: "Annullata",
  },
  type: {
    boolean: "Sì o no",
    categorical: "Categoria",
    integer: "Numero intero",
    numeric: "Numero",
    date: "Data",
    time: "Ora",
    datetime: "Data e ora",
    coordinates: "Coordinate",
    text: "Testo",
    identifier: "Identificativo",
    reference: "Riferimento a un'altra tabella",
    unknown: "Tipo sconosciuto",
    key: "Chiave primaria",
  },
  shield: {
    protected: "Sensibile, sintetizzata",
    protectedHelp: "Dati personali. I valori nel risultato sono nuovi, estratti dal modello.",
    excluded: "Sensibile, non sintetizzata",
    excludedHelp: "Dati personali. Restano fuori dal modello.",
  },
  grid: {
    rowNumber: "Riga",
    missing: "Mancante",
    empty: "Questa tabella non ha righe.",
    rowsOf: "Righe da {{first}} a {{last}} di {{total}}",
    goTo: "Vai alla riga",
    columns_one: "{{count}} colonna",
    columns_other: "{{count}} colonne",
  },
};
