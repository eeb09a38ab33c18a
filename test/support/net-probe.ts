import dgram from 'node:dgram';
import net from 'node:net';

/**
 * A program that tests run inside network namespaces.
 * `serve tcp|udp PORT NAME` answers every client with `NAME CLIENT_ADDRESS` and says `ready` once it listens;
 * `ask tcp|udp HOST PORT` prints the answer, or `error CODE` when there is none within a second;
 * `talk udp HOST PORT` keeps asking from one socket and prints every answer that differs from the one before.
 */
const [mode = '', protocol = '', ...rest] = process.argv.slice(2);

if (mode === 'serve') {
  const [port = '', name = ''] = rest;
  const ready = (): void => { process.stdout.write('ready\n'); };
  if (protocol === 'tcp') {
    net.createServer((socket) => {
      socket.on('error', () => { /* the client left */ });
      socket.end(`${name} ${socket.remoteAddress}`);
    }).listen(Number(port), '0.0.0.0', ready);
  } else {
    const socket = dgram.createSocket('udp4');
    socket.on('message', (_, from) => { socket.send(`${name} ${from.address}`, from.port, from.address); });
    socket.bind(Number(port), '0.0.0.0', ready);
  }
} else if (mode === 'talk') {
  const [host = '', port = ''] = rest;
  const socket = dgram.createSocket('udp4');
  let last = '';
  socket.on('message', (data) => {
    if (data.toString() !== last) process.stdout.write(`${data.toString()}\n`);
    last = data.toString();
  });
  socket.on('error', () => { /* nobody there at the moment */ });
  setInterval(() => socket.send('?', Number(port), host), 20);
} else {
  const [host = '', port = ''] = rest;
  const finish = (answer: string): void => {
    process.stdout.write(`${answer}\n`);
    process.exit(0);
  };
  setTimeout(() => finish('error TIMEOUT'), 1000);
  if (protocol === 'tcp') {
    const socket = net.connect(Number(port), host);
    socket.on('data', (data) => finish(data.toString()));
    socket.on('error', (error) => finish(`error ${'code' in error ? String(error.code) : error.message}`));
  } else {
    const socket = dgram.createSocket('udp4');
    socket.on('message', (data) => finish(data.toString()));
    socket.on('error', (error) => finish(`error ${'code' in error ? String(error.code) : error.message}`));
    socket.connect(Number(port), host, () => socket.send('?'));
  }
}
