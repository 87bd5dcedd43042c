/** The number in a wrapped answer, 1000 for none of the refusals. */
export async function codeOf(answer: Response | Promise<Response>): Promise<number> {
  return ((await (await answer).json()) as { code: number }).code;
}
