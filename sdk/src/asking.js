// Questions to the server on behalf of the visitor.

/** @typedef {(wanted: (userId: string) => [path: string, body?: object]) => Promise<any>} Ask */

const TRY_MS = 1e4;

/**
 * @param {string} host
 * @param {import("./passes.js").Passes} passes
 * @returns {Ask} rejects what was not answered, or not with what was asked for
 */
export const askerOf = (host, passes) => async (wanted) => {
  for (let again = true; ; again = false) {
    const pass = await passes.get();
    if (!pass) throw new Error("no token");
    const [path, body] = wanted(pass.userId);
    const answer = await fetch(host + path, {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      headers: {
        ...(body && { "content-type": "application/json" }),
        ...(pass.token && { authorization: "Bearer " + pass.token }),
      },
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(TRY_MS),
    });
    if (answer.ok) return answer.json();
    // A token that was kept may be of somebody who is a user by now.
    const refused = answer.status == 401 || answer.status == 403;
    if (!(refused && passes.drop() && again)) throw Object.assign(new Error(path + " " + answer.status), { status: answer.status });
  }
};
