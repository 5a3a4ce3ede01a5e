// The link of the email names who unsubscribes; the form passes that on.
document.getElementById("unsubscribe").action += location.search;
history.replaceState(null, "", location.pathname);
