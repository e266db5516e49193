export const PASSWORD: string
export function visit(start: string, options?: { readonly agrees?: boolean }): Promise<string>
