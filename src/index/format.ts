// The index on disk: a directory with manifest.json and one or more shard files per section. docs/index-format.md
// describes it; a change of either side of this file is a new FORMAT_VERSION.
//
// A shard file is one header page of 4096 bytes and a payload. Header, little-endian:
//   0 magic "FARSIGHT" · 8 u32 format version · 12 u32 shard number · 16 u32 shards of the section · 20 u32 crc32c of
//   the payload · 24 u64 payload bytes · 32 section name, 64 bytes, zero padded · 96 zeros · 4092 u32 crc32c of the
//   bytes before it.
// Payloads of all shards but the last are whole pages, so that a section maps as one contiguous range.

import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { native } from '../native.ts';

export const FORMAT_VERSION = 2;
export const HEADER_BYTES = 4096;
/** Shards stay below 4 GiB: file tools and typed arrays can still hold one. A whole number of pages. */
export const SHARD_BYTES = 1 << 30;

/** How the text of every manifest begins, whatever its version. */
export const MANIFEST_START = '{\n  "format": "farsight-index"';

const MAGIC = 'FARSIGHT';
const NAME_BYTES = 64;

/** An index that cannot be read as it is: names the file or section, what was expected, what to do. */
export class IndexError extends Error {
  override name = 'IndexError';
}

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Finite = Type.Number();
const closed = { additionalProperties: false } as const;

const SectionManifest = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9_.-]{0,63}$' }),
    bytes: Count,
    shards: Type.Array(
      Type.Object(
        {
          file: Type.String({ pattern: '^[a-z][a-z0-9_.-]{0,95}$' }),
          bytes: Count,
          crc32c: Type.String({ pattern: '^[0-9a-f]{8}$' }),
        },
        closed,
      ),
      { minItems: 1 },
    ),
  },
  closed,
);

const RatioCodesManifest = Type.Object(
  {
    features: Type.Integer({ minimum: 1, maximum: 255 }),
    value_bits: Type.Integer({ minimum: 8, maximum: 24 }),
    /** Value of one code step. */
    scale: Finite,
    /** Upper bound of the sum of one vector's values. */
    max_sum: Finite,
  },
  closed,
);

const RatioManifest = Type.Object(
  {
    items: RatioCodesManifest,
    representatives: RatioCodesManifest,
    spread: Type.Optional(RatioCodesManifest),
    groups: Type.Optional(RatioCodesManifest),
    /** The chain of the papers; divisors of 0: values came chained (r64) or were left as they are. */
    value_divisor: Finite,
    ratio_divisor: Finite,
    rounding: Type.Union([Type.Literal('nearest'), Type.Literal('floor')]),
  },
  closed,
);

const RabitqManifest = Type.Object(
  {
    /** Of a code, per dimension. */
    bits: Type.Integer({ minimum: 1, maximum: 12 }),
    /** The upper ones, which a scan reads. */
    scan_bits: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)]),
    /** Dimensions that have all bits; the others lack the lowest. */
    full_dims: Type.Integer({ minimum: 1, maximum: 4096 }),
    /** Of folded codes, whose factors lie within the codes: the largest that can be. */
    largest_factor: Type.Optional(Type.Number({ minimum: 0 })),
  },
  closed,
);

const ModalityManifest = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,31}$' }),
    dims: Type.Integer({ minimum: 1, maximum: 65536 }),
    normalize: Type.Boolean(),
    codec: Type.Union([Type.Literal('ratio'), Type.Literal('sq8'), Type.Literal('rabitq')]),
    ratio: Type.Optional(RatioManifest),
    rabitq: Type.Optional(RabitqManifest),
    clusters: Type.Integer({ minimum: 1 }),
    /** Clusters are chosen by the variance of their items too, not only by their representative. */
    spread: Type.Boolean(),
    /** Groups that near clusters lie together in; left out where they do not. */
    groups: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Nodes of each eCP level from the bottom (the representatives) to the root. */
    levels: Type.Array(Type.Integer({ minimum: 1 })),
    statistics: Type.Object(
      {
        /** Largest |input value - stored value|, after normalisation. */
        max_value_error: Finite,
        /** Share of sampled items whose cluster is the exactly nearest one. */
        assign_agreement: Type.Number({ minimum: 0, maximum: 1 }),
        zero_vectors: Count,
        /** Items whose code repeats an earlier item's. */
        duplicates: Count,
        largest_cluster: Count,
        empty_clusters: Count,
        /** Clusters above the size limit, read only when all are, and the items in them. */
        huge_clusters: Count,
        unreachable_items: Count,
      },
      closed,
    ),
    source: Type.Object(
      {
        files: Type.Array(Type.Object({ name: Type.String(), bytes: Count, sha256: Type.String() }, closed)),
        options: Type.Record(Type.String(), Type.String()),
      },
      closed,
    ),
  },
  closed,
);

const Share = Type.Number({ minimum: 0, maximum: 1 });

const ClusterSizes = Type.Object(
  {
    mean: Finite,
    deviation: Finite,
    /** Sizes that share 1 %, 10 %, 50 %, 90 % and 99 % of the clusters lie at or below. */
    quantiles: Type.Object({ p1: Count, p10: Count, p50: Count, p90: Count, p99: Count }, closed),
    largest: Count,
    largest_to_mean: Finite,
    /** 0: all are equal; towards 1: a few hold nearly everything. */
    gini: Share,
  },
  closed,
);

/** Recall over hyperplanes. */
const RecallSpread = Type.Object({ mean: Share, deviation: Share, least: Share }, closed);

const RecallManifest = Type.Object(
  {
    /** Of each kind. */
    hyperplanes: Type.Integer({ minimum: 1 }),
    /** Of SVMs whose positives are near one another, and of SVMs whose positives are random items. */
    by_clusters: Type.Array(
      Type.Object({ clusters: Type.Integer({ minimum: 1 }), related: RecallSpread, random: RecallSpread }, closed),
    ),
    /** The least b with the target as mean of either kind; null when no width measured has it. */
    recommended_clusters: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  },
  closed,
);

const QualityManifest = Type.Object(
  {
    /** Recall is measured at this many items, of SVMs of so many positives and negatives. */
    top: Type.Integer({ minimum: 1 }),
    positives: Type.Integer({ minimum: 1 }),
    negatives: Type.Integer({ minimum: 1 }),
    target: Share,
    modalities: Type.Array(
      Type.Object({ name: Type.String(), cluster_sizes: ClusterSizes, recall: RecallManifest }, closed),
    ),
  },
  closed,
);

const GridManifest = Type.Object(
  {
    /** Principal components, and quantile segments along each: a cell is a number below segments ** components. */
    components: Type.Integer({ minimum: 1, maximum: 6 }),
    segments: Type.Integer({ minimum: 2, maximum: 32 }),
  },
  closed,
);

const Manifest = Type.Object(
  {
    format: Type.Literal('farsight-index'),
    version: Type.Integer({ minimum: 1 }),
    /** First 16 hex digits of the SHA-256 of everything else in the manifest but the quality and the checksum. */
    generation: Type.String({ pattern: '^[0-9a-f]{16}$' }),
    seed: Count,
    items: Type.Integer({ minimum: 1, maximum: 0xfffffffe }),
    build: Type.Object(
      {
        cluster_size: Type.Integer({ minimum: 2 }),
        assign: Type.Union([Type.Literal('exact'), Type.Literal('tree'), Type.Literal('hnsw')]),
        refine: Type.Integer({ minimum: 0 }),
        /** Clusters of more items than this are omitted from a round (Exquisitor §3.3). */
        size_limit: Type.Integer({ minimum: 1 }),
      },
      closed,
    ),
    modalities: Type.Array(ModalityManifest, { minItems: 1, maxItems: 16 }),
    /** The grid whose cells the section grid.cells holds; left out where rounds find theirs fast enough. */
    grid: Type.Optional(GridManifest),
    sections: Type.Array(SectionManifest),
    /** How good rounds over this index are; left out where it was not measured. */
    quality: Type.Optional(QualityManifest),
    /** crc32c of the manifest's canonical text without this field. */
    checksum: Type.String({ pattern: '^[0-9a-f]{8}$' }),
  },
  closed,
);

export type Manifest = Static<typeof Manifest>;
export type ModalityManifest = Static<typeof ModalityManifest>;
export type SectionManifest = Static<typeof SectionManifest>;
export type GridManifest = Static<typeof GridManifest>;
export type QualityManifest = Static<typeof QualityManifest>;
export type RecallManifest = Static<typeof RecallManifest>;
export type ClusterSizes = Static<typeof ClusterSizes>;
export type RatioManifest = Static<typeof RatioManifest>;
export type RatioCodesManifest = Static<typeof RatioCodesManifest>;

const manifestCheck = Compile(Manifest);

export interface ShardHeader {
  readonly section: string;
  readonly shard: number;
  readonly shards: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

/** The header page of a shard. */
export function encodeHeader(header: ShardHeader): Uint8Array {
  const page = new Uint8Array(HEADER_BYTES);
  const view = new DataView(page.buffer);
  const name = new TextEncoder().encode(header.section);
  if (name.length > NAME_BYTES)
    throw new RangeError(`section name ${header.section} is longer than ${NAME_BYTES} bytes`);
  page.set(new TextEncoder().encode(MAGIC), 0);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, header.shard, true);
  view.setUint32(16, header.shards, true);
  view.setUint32(20, header.payloadCrc, true);
  view.setBigUint64(24, BigInt(header.payloadBytes), true);
  page.set(name, 32);
  view.setUint32(HEADER_BYTES - 4, native.crc32c(0, page.subarray(0, HEADER_BYTES - 4)), true);
  return page;
}

/** Reads a header page; `file` is named in errors. */
export function decodeHeader(page: Uint8Array, file: string): ShardHeader {
  if (page.length < HEADER_BYTES) {
    throw new IndexError(
      `${file}: ${page.length} bytes, shorter than a section header; the file is truncated, rebuild`,
    );
  }
  const view = new DataView(page.buffer, page.byteOffset, HEADER_BYTES);
  const magic = new TextDecoder('latin1').decode(page.subarray(0, 8));
  if (magic !== MAGIC) throw new IndexError(`${file}: not a Farsight section (magic ${JSON.stringify(magic)})`);
  checkVersion(view.getUint32(8, true), file);
  if (view.getUint32(HEADER_BYTES - 4, true) !== native.crc32c(0, page.subarray(0, HEADER_BYTES - 4))) {
    throw new IndexError(`${file}: header checksum does not match; the file is damaged, restore or rebuild it`);
  }
  const name = page.subarray(32, 32 + NAME_BYTES);
  const end = name.indexOf(0);
  return {
    section: new TextDecoder().decode(end < 0 ? name : name.subarray(0, end)),
    shard: view.getUint32(12, true),
    shards: view.getUint32(16, true),
    payloadCrc: view.getUint32(20, true),
    payloadBytes: Number(view.getBigUint64(24, true)),
  };
}

/** The text of manifest.json: canonical, so that any changed byte is found. `body` lacks the checksum. */
export function encodeManifest(body: Omit<Manifest, 'checksum'>): string {
  const checksum = hex32(native.crc32c(0, new TextEncoder().encode(JSON.stringify(body))));
  return canonical({ ...body, checksum });
}

/** Parses and checks manifest.json; `file` is named in errors. */
export function decodeManifest(text: string, file: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new IndexError(`${file}: not valid JSON (${(error as Error).message}); the file is damaged`);
  }
  if (typeof value === 'object' && value !== null && 'version' in value && typeof value.version === 'number') {
    checkVersion(value.version, file);
  }
  if (!manifestCheck.Check(value)) {
    const [first] = manifestCheck.Errors(value);
    throw new IndexError(`${file}: ${first?.instancePath || '/'} ${first?.message ?? 'is not a manifest'}`);
  }
  const { checksum, ...body } = value;
  if (
    text !== canonical(value) ||
    checksum !== hex32(native.crc32c(0, new TextEncoder().encode(JSON.stringify(body))))
  ) {
    throw new IndexError(`${file}: checksum does not match its content; the file is damaged or was edited, rebuild`);
  }
  return value;
}

/** Eight hex digits of a 32-bit number. */
export function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function checkVersion(version: number, file: string): void {
  if (version === FORMAT_VERSION) return;
  const age = version > FORMAT_VERSION ? 'too new: use a newer Farsight' : 'too old: rebuild the index';
  throw new IndexError(`${file}: format version ${version}, this Farsight reads ${FORMAT_VERSION}; ${age}`);
}

function canonical(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
