import { expect, test } from "vitest";
import { distanceBand, distanceKm } from "../../../workers/relays/distance.ts";

const berlin = { latitude: 52.52, longitude: 13.4 };
const frankfurt = { latitude: 50.11, longitude: 8.68 };

test("Berlin and Frankfurt are 423 km apart, and points across the date line near", () => {
  expect(distanceKm(berlin, frankfurt)).toBeCloseTo(423.4, 0);
  expect(distanceKm({ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 })).toBeCloseTo(111, 0);
  expect(distanceKm({ latitude: 90, longitude: 0 }, { latitude: -90, longitude: 0 })).toBeCloseTo(20_015, 0);
});

test("relays less than 500 km away are equally near, and those that do not say where they are the farthest", () => {
  expect(distanceBand(berlin, frankfurt)).toBe(distanceBand(berlin, berlin));
  expect(distanceBand(berlin, undefined)).toBeGreaterThan(distanceBand(berlin, { latitude: -52, longitude: -166 }));
  expect(distanceBand(undefined, undefined)).toBe(distanceBand(undefined, berlin));
});
