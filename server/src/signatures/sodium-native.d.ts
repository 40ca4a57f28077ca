/** The package brings no types of its own. */
declare module 'sodium-native' {
  const sodium: import('./native-sodium.ts').NativeSodium
  // biome-ignore lint/style/noDefaultExport: so the package exports it
  export default sodium
}
