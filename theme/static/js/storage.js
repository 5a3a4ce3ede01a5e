// localStorage, which may be full, forbidden or corrupt: then nothing is stored, and everything else works.
export function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // See above.
  }
}

export function remove(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // See above.
  }
}
