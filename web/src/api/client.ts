import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** What the server refused, with its code, place and remedy. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Schemas["Problem"],
  ) {
    super(problem.message);
  }

  get code(): string {
    return this.problem.code;
  }
}

let csrf = "";
let onSignedOut: () => void = () => {};

/** Remember the value that every change of this session repeats. */
export function setCsrf(value: string): void {
  csrf = value;
}

/** Say what happens when the server knows this session no more. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

const guard: Middleware = {
  onRequest({ request }) {
    if (!["GET", "HEAD"].includes(request.method) && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return response;
    throw await readError(response);
  },
  onError() {
    return unreachable();
  },
};

/** Read a refusal; what is no answer of ours becomes one with a code of its own. */
export async function readError(response: Response): Promise<ApiError> {
  let problem: Schemas["Problem"];
  try {
    problem = await response.json();
  } catch {
    problem = { ...EMPTY, code: "web.no_answer", message: response.statusText };
  }
  if (response.status === 401 && problem.code === "access.unauthenticated") onSignedOut();
  return new ApiError(response.status, problem);
}

const EMPTY: Schemas["Problem"] = {
  code: "",
  where: "",
  message: "",
  remedy: "",
  retryable: true,
  findings: [],
  request: "",
};

function unreachable(): ApiError {
  return new ApiError(0, { ...EMPTY, code: "web.unreachable" });
}

export const api = createClient<paths>({ baseUrl: "" });
api.use(guard);

/** Give what a call answered; a refusal was thrown before. */
export async function take<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

/** Send a file with progress, which fetch does not tell. */
export function upload(
  path: string,
  file: Blob,
  onShare: (share: number) => void,
  signal?: AbortSignal,
): Promise<Schemas["FileView"]> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.upload.onprogress = (event) => event.lengthComputable && onShare(event.loaded / event.total);
    request.onload = async () => {
      const response = new Response(request.responseText, {
        status: request.status,
        statusText: request.statusText,
      });
      if (response.ok) resolve(await response.json());
      else reject(await readError(response));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("The upload was cancelled.", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
