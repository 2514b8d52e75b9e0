/**
 * The few functions of the Reflect metadata proposal that tsyringe, a dependency of @peculiar/x509, wants to find before
 * it is loaded. Import this module before @peculiar/x509; it does nothing where a real polyfill is loaded.
 */
type Metadata = Map<unknown, unknown>;

const known = new WeakMap<object, Map<PropertyKey | undefined, Metadata>>();

function metadataOf(target: object, property: PropertyKey | undefined): Metadata {
  const properties = known.get(target) ?? new Map<PropertyKey | undefined, Metadata>();
  known.set(target, properties);
  const metadata = properties.get(property) ?? new Map();
  properties.set(property, metadata);
  return metadata;
}

function getOwnMetadata(key: unknown, target: object, property?: PropertyKey): unknown {
  return known.get(target)?.get(property)?.get(key);
}

function getMetadata(key: unknown, target: object, property?: PropertyKey): unknown {
  for (let holder: object | null = target; holder !== null; holder = Object.getPrototypeOf(holder)) {
    if (known.get(holder)?.get(property)?.has(key)) return getOwnMetadata(key, holder, property);
  }
  return undefined;
}

function defineMetadata(key: unknown, value: unknown, target: object, property?: PropertyKey): void {
  metadataOf(target, property).set(key, value);
}

if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, {
    getMetadata,
    getOwnMetadata,
    defineMetadata,
    hasMetadata: (key: unknown, target: object, property?: PropertyKey) =>
      getMetadata(key, target, property) !== undefined,
    hasOwnMetadata: (key: unknown, target: object, property?: PropertyKey) =>
      getOwnMetadata(key, target, property) !== undefined,
    metadata: (key: unknown, value: unknown) => (target: object, property?: PropertyKey) =>
      defineMetadata(key, value, target, property),
  });
}
