/** The code in the envelope of an answer. 1000 is success. */
export async function codeOf(answer: Response | Promise<Response>): Promise<number> {
  return ((await (await answer).json()) as { code: number }).code;
}
