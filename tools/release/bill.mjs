// What pnpm leaves out of a bill of materials: packages for other platforms than the one it was written on, and peers.

/** `@scope/name` of a component. */
export function nameOf({ group, name }) {
  return group ? `${group}/${name}` : name
}

/**
 * @param bill - CycloneDX, of what is installed here
 * @param known - components by `purl` that more is known of than their name: hashes, from the lockfile
 * @param peers - components of the peers, each with the `scope` that it has to whoever installs the package
 * @param optionalOf - `{ name: version }`: the optional dependencies in the manifest of a component
 * @returns the bill with all of them. Those that are not installed here have no licence in it
 * @throws if what is not installed has no exact version
 */
export function completeBill(bill, { known, peers, optionalOf }) {
  const components = new Map(bill.components.map((component) => [nameOf(component), component]))
  const dependsOn = new Map(bill.dependencies.map(({ ref, dependsOn: refs }) => [ref, new Set(refs)]))
  const add = (component, by) => {
    const name = nameOf(component)
    if (!components.has(name)) components.set(name, component)
    const ref = components.get(name)['bom-ref']
    dependsOn.get(by).add(ref)
    if (!dependsOn.has(ref)) dependsOn.set(ref, new Set())
  }
  for (const parent of bill.components) {
    for (const [name, version] of Object.entries(optionalOf(parent))) {
      const there = components.get(name)
      if (there !== undefined) components.set(name, { ...there, scope: 'optional' })
      add({ ...(there ?? elsewhere(name, version, known)), scope: 'optional' }, parent['bom-ref'])
    }
  }
  for (const peer of peers) add(peer, bill.metadata.component['bom-ref'])
  return {
    ...bill,
    components: [...components.values()],
    dependencies: [...dependsOn].map(([ref, refs]) => ({ ref, dependsOn: [...refs] })),
  }
}

function elsewhere(name, version, known) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${name} is not installed, and ${version} is no exact version`)
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const [own, group] = name.split('/').toReversed()
  return known.get(purl) ?? { type: 'library', ...(group && { group }), name: own, version, purl, 'bom-ref': purl }
}
