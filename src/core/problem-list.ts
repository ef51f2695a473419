/** Lists of problems that must fit into one error. */

/** Clients of gRPC refuse errors that are too large, so an error has room for about so many characters. */
const mostCharacters = 1000;

/** The problems one in a line, the last of them only counted when they are too many. */
export function problemList(problems: readonly string[]): string {
  const shown: string[] = [];
  let room = mostCharacters;
  for (const problem of problems) {
    const cut = problem.length > mostCharacters ? `${problem.slice(0, mostCharacters)}...` : problem;
    if (cut.length > room && shown.length > 0) break;
    shown.push(cut);
    room -= cut.length;
  }
  const left = problems.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('\n');
}
