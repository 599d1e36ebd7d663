/**
 * Loaded before Azurite. It takes the first SIGTERM as a request to write its metadata and end, and takes its handler
 * away: a second one, as it comes when a launcher was killed and its folder is started again at once, would end it
 * halfway, and what was uploaded last would be lost. From the moment that it listens, further ones do nothing.
 */
function keepListening(event: string | symbol): void {
  if (event !== "SIGTERM") return;
  process.off("newListener", keepListening);
  process.on("SIGTERM", () => {});
}

process.on("newListener", keepListening);
