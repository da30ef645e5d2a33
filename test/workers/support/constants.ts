export const zone = "postern.localhost";
export const edgeOrigin = "https://edge.example.test";
/** The relays on the allow-list of the edge under test. */
export const relaySeeds = ["relay one", "relay two", "relay three"];
