import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.messaging.converter.StringMessageConverter;
import org.springframework.messaging.MessageDeliveryException;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;
import org.springframework.web.socket.sockjs.client.RestTemplateXhrTransport;
import org.springframework.web.socket.sockjs.client.SockJsClient;
import org.springframework.web.socket.sockjs.client.WebSocketTransport;

/**
 * Connections of Spring's STOMP client. Reads commands from stdin and writes received frames to stdout, both as JSON
 * lines.
 */
public class SpringClient {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private final String transport;
  private final WebSocketStompClient client;
  private final Map<String, Connection> open = new HashMap<>();

  private SpringClient(String transport) {
    this.transport = transport;
    this.client = new WebSocketStompClient(socketClient(transport));
    ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
    scheduler.setDaemon(true);
    scheduler.initialize();
    client.setTaskScheduler(scheduler);
    client.setDefaultHeartbeat(new long[] {10_000, 10_000});
    client.setInboundMessageSizeLimit(1 << 20);
    // This converter accepts text/plain only.
    client.setMessageConverter(new StringMessageConverter());
  }

  private static WebSocketClient socketClient(String transport) {
    switch (transport) {
      case "websocket":
        return new StandardWebSocketClient();
      case "sockjs-websocket":
        return new SockJsClient(List.of(new WebSocketTransport(new StandardWebSocketClient())));
      case "sockjs-xhr":
        return new SockJsClient(List.of(new RestTemplateXhrTransport()));
      case "sockjs-polling":
        RestTemplateXhrTransport polling = new RestTemplateXhrTransport();
        polling.setXhrStreamingDisabled(true);
        return new SockJsClient(List.of(polling));
      default:
        throw new IllegalArgumentException(transport);
    }
  }

  public static void main(String[] args) throws Exception {
    SpringClient clients = new SpringClient(args[0]);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode command = JSON.readTree(line);
      try {
        clients.handle(command.get("as").asText(), command);
      } catch (Exception error) {
        say(command.get("as").asText(), "failed", Map.of("reason", command.get("op").asText() + ": " + error));
      }
    }
    System.exit(0);
  }

  private void handle(String name, JsonNode command) {
    Connection connection = open.computeIfAbsent(name, Connection::new);
    switch (command.get("op").asText()) {
      case "connect":
        String url = command.get("url").asText() + "/my-chat";
        StompHeaders headers = new StompHeaders();
        headers.add("access-token", command.get("token").asText());
        headers.add("user-id", command.get("userId").asText());
        String target = transport.equals("websocket") ? url.replaceFirst("^http", "ws") : url;
        client.connect(target, new WebSocketHttpHeaders(), headers, connection);
        break;
      case "subscribe":
        connection.subscribe(headersOf(command), command.get("headers").get("id").asText());
        break;
      case "unsubscribe":
        connection.subscriptions.get(command.get("id").asText()).unsubscribe();
        break;
      case "send":
        connection.send(headersOf(command), command.get("body").asText());
        break;
      case "leave":
        open.remove(name);
        try {
          connection.session.disconnect();
        } catch (MessageDeliveryException alreadyClosed) {
          // Tyrus may stop the threads of a connection before DISCONNECT is written.
        }
        say(name, "left", Map.of());
        break;
      default:
        throw new IllegalArgumentException(command.get("op").asText() + " is not an operation");
    }
  }

  private static StompHeaders headersOf(JsonNode command) {
    StompHeaders headers = new StompHeaders();
    headers.setDestination(command.get("destination").asText());
    command.get("headers").fields().forEachRemaining((field) -> headers.add(field.getKey(), field.getValue().asText()));
    return headers;
  }

  private static synchronized void say(String name, String event, Map<String, ?> fields) {
    Map<String, Object> line = new HashMap<>(fields);
    line.put("as", name);
    line.put("event", event);
    try {
      OUT.println(JSON.writeValueAsString(line));
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }

  private static final class Connection extends StompSessionHandlerAdapter {
    final String name;
    final Map<String, StompSession.Subscription> subscriptions = new HashMap<>();
    volatile StompSession session;

    Connection(String name) {
      this.name = name;
    }

    void subscribe(StompHeaders headers, String id) {
      StompSession.Subscription subscription = session.subscribe(headers, new StompFrameHandler() {
        @Override
        public Type getPayloadType(StompHeaders received) {
          return String.class;
        }

        @Override
        public void handleFrame(StompHeaders received, Object payload) {
          say(name, "message", Map.of("headers", received.toSingleValueMap(), "body", String.valueOf(payload)));
        }
      });
      subscriptions.put(id, subscription);
      tell(subscription, headers);
    }

    void send(StompHeaders headers, String body) {
      tell(session.send(headers, body), headers);
    }

    private void tell(StompSession.Receiptable asked, StompHeaders headers) {
      if (headers.getReceipt() == null) return;
      asked.addReceiptTask((receipt) -> say(name, "receipt", Map.of("headers", receipt.toSingleValueMap())));
    }

    @Override
    public void afterConnected(StompSession connected, StompHeaders headers) {
      session = connected;
      say(name, "connected", Map.of());
    }

    @Override
    public void handleFrame(StompHeaders headers, Object payload) {
      say(name, "failed", Map.of("reason", "ERROR " + headers));
    }

    @Override
    public void handleException(StompSession s, StompCommand command, StompHeaders headers, byte[] body, Throwable error) {
      say(name, "failed", Map.of("reason", command + " " + headers + " " + error));
    }

    @Override
    public void handleTransportError(StompSession s, Throwable error) {
      say(name, "failed", Map.of("reason", String.valueOf(error)));
    }
  }
}
