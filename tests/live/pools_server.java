// SPDX-License-Identifier: GPL-2.0-only
// The same as pools_app.py on the JDK's own server: one thread accepts and polls, two serve.
// java pools_server.java PORT LOG
import com.sun.net.httpserver.HttpServer;
import java.io.FileWriter;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

public class pools_server {
	public static void main(String[] args) throws Exception {
		int port = Integer.parseInt(args[0]);
		HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
		FileWriter log = new FileWriter(args[1]);

		server.createContext("/", exchange -> {
			long taken = System.nanoTime();

			try {
				Thread.sleep(150);
			} catch (InterruptedException e) {
			}
			synchronized (log) {
				log.write(exchange.getRequestURI() + " " + taken + " " + System.nanoTime() + "\n");
				log.flush();
			}
			exchange.sendResponseHeaders(200, 2);
			exchange.getResponseBody().write("ok".getBytes());
			exchange.close();
		});
		server.setExecutor(Executors.newFixedThreadPool(2));
		server.start();
	}
}
