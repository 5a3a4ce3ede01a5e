// Shows "Library" instead of "Sign in" to people who are signed in. Their browser has a cookie that says only that.
const signedIn = document.cookie.split("; ").includes("signed_in=1");
for (const element of document.querySelectorAll("[data-signed-in]")) element.hidden = !signedIn;
for (const element of document.querySelectorAll("[data-signed-out]")) element.hidden = signedIn;
