import { Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { SourceVersion } from "../../../api/sources";
import { UploadForm } from "./UploadForm";

/** A source to which a new version is added, and the number of its newest one; 0 before the first. */
export interface Extended {
  id: string;
  name: string;
  version: number;
}

/** Uploads files into a new source, or a new version of one. */
export function UploadDialog({
  source,
  onClose,
  onDone,
}: {
  source?: Extended;
  onClose: () => void;
  onDone: (version: SourceVersion) => void;
}) {
  const { t } = useTranslation();
  const [isAtWork, setAtWork] = useState(false);
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={
        <b>
          {source ? t("sources.sending.versionTitle", { name: source.name }) : t("sources.sending.title")}
        </b>
      }
      closeOnClickOutside={false}
      closeOnEscape={!isAtWork}
      withCloseButton={!isAtWork}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <UploadForm source={source} onDone={onDone} onAtWork={setAtWork} onLeave={onClose} />
    </Modal>
  );
}
