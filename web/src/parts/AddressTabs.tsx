import { Tabs } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { Navigate, useNavigate, useParams } from "react-router";
import classes from "./AddressTabs.module.css";

export type Tab = { key: string; label: string; icon: ReactNode; content: ReactNode };

/** Tabs of a page, each with an address of its own: `base/key`. */
export function AddressTabs({ base, label, tabs }: { base: string; label: string; tabs: [Tab, ...Tab[]] }) {
  const { part } = useParams();
  const navigate = useNavigate();
  const open = tabs.find((tab) => tab.key === (part ?? tabs[0].key));
  const list = useRef<HTMLDivElement>(null);
  const key = open?.key;
  useEffect(() => {
    if (key)
      list.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [key]);
  if (!open) return <Navigate to={base} replace />;
  return (
    <Tabs
      value={open.key}
      onChange={(key) => key && navigate(`${base}/${key}`, { replace: true })}
      keepMounted={false}
    >
      <Tabs.List ref={list} className={classes.list} aria-label={label} mb="lg">
        {tabs.map((tab) => (
          <Tabs.Tab key={tab.key} value={tab.key} leftSection={tab.icon} className={classes.tab}>
            {tab.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map((tab) => (
        <Tabs.Panel key={tab.key} value={tab.key}>
          {tab.content}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
