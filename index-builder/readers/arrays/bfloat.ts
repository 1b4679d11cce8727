// bfloat16, the upper half of a float32.

export function bfloatToFloat(halves: Uint16Array, values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let at = 0; at < halves.length; at++) bits[at] = (halves[at] as number) << 16;
}
